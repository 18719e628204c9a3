"""The report's published form, and its JUnit form."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from jsonschema import Draft202012Validator

from ragbed.errors import UsageError
from ragbed.evaluation import Judged, measure
from ragbed.pins import Provenance
from ragbed.smoke.junit import write_junit
from ragbed.smoke.report import CorpusFigures, RetrievalResult, SmokeReport, StageFailure, StageResult
from ragbed.stack import Endpoint

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "smoke-report.schema.json").read_text())
POSTGRES = Endpoint(
    service="postgres",
    url="postgresql://me:secret-word@127.0.0.1:5432/ragbed",
    launcher="attach",
    product="postgres",
    version="18.6",
    real=True,
    provenance=Provenance(channel="external", named_by="DATABASE_URL"),
)
PASSED = SmokeReport(
    run_id="20260102-030405-abcdef",
    tier="local",
    llm="mock-llm: tier local",
    seconds=1.5,
    exit_code=0,
    services={"postgres": POSTGRES},
    notes=("redis: port 6379 is held by something else: passed over",),
    stages=(StageResult(name="guard", status="passed", seconds=0.1, detail="fine"),),
    corpus=CorpusFigures(documents=3, chunks=9, unchanged=3),
    retrieval=RetrievalResult(
        all=measure([Judged(relevant=frozenset({"a.md"}), found=("a.md",), gap=False)]),
        held_out=measure([Judged(relevant=frozenset(), found=("a.md",), gap=False, kind="near")]),
    ),
    spent_usd=0.0,
    simulated_usd=0.0001,
)
FAILED = replace(
    PASSED,
    exit_code=1,
    stages=(
        StageResult(name="guard", status="passed", detail="fine"),
        StageResult(name="stack", status="failed", detail="no luck\x00"),
        StageResult(name="parity", status="skipped", detail="after the failure of stack"),
    ),
    retrieval=None,
    failure=StageFailure(stage="stack", message="no luck\x00", details=("log: line",), hint="try again"),
)


@pytest.mark.parametrize("report", [PASSED, FAILED], ids=["passed", "failed"])
def test_every_report_fits_the_published_schema(report: SmokeReport) -> None:
    """What --json prints is what the schema promises."""
    Draft202012Validator(SCHEMA).validate(json.loads(json.dumps(report.to_json())))


def test_schema_refuses_a_report_without_stages() -> None:
    """The schema is not so wide that anything fits."""
    value = PASSED.to_json()
    del value["stages"]

    assert not Draft202012Validator(SCHEMA).is_valid(value)


def test_passwords_are_hidden() -> None:
    """No password of an attached service reaches the report."""
    assert "secret-word" not in json.dumps(PASSED.to_json())


def test_junit_has_a_case_per_stage(tmp_path: Path) -> None:
    """Stages become test cases; failed and skipped ones say so."""
    write_junit(FAILED, tmp_path / "deep" / "junit.xml")

    suite = ET.parse(tmp_path / "deep" / "junit.xml").getroot()  # noqa: S314 - our own file
    counts = {name: suite.get(name) for name in ("tests", "failures", "skipped")}
    assert counts == {"tests": "3", "failures": "1", "skipped": "1"}


def test_junit_failure_carries_the_evidence(tmp_path: Path) -> None:
    """The failure's text holds details and hint, without the control characters that XML refuses."""
    write_junit(FAILED, tmp_path / "junit.xml")

    failure = ET.parse(tmp_path / "junit.xml").getroot().find(".//failure")  # noqa: S314 - our own file
    assert failure is not None
    assert (failure.get("message"), failure.text) == ("no luck", "log: line\ntry again")


def test_junit_that_cannot_be_written_is_wrong_usage(tmp_path: Path) -> None:
    """A folder that cannot be made is named, with what to do."""
    (tmp_path / "file").touch()

    with pytest.raises(UsageError, match=r"cannot write the JUnit report .*x\.xml: (Not a dir|File exists)"):
        write_junit(PASSED, tmp_path / "file" / "x.xml")
