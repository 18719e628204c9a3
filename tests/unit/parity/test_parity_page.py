"""The report's published forms: JSON and a web page."""

from __future__ import annotations

import json
from pathlib import Path

from jsonschema import Draft202012Validator

from ragbed.parity.page import web_page
from ragbed.parity.records import Cell, Column, ParityReport, Row
from ragbed.pins import Provenance
from ragbed.stack import Endpoint

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "parity.schema.json").read_text(encoding="utf-8"))
REDIS = Endpoint(
    service="redis",
    url="redis://:secret-word@127.0.0.1:6379/0",
    launcher="attach",
    product="redis",
    version="8.0",
    real=True,
    provenance=Provenance(channel="external", named_by="REDIS_URL"),
)
KNOWN = Cell(status="known", reason="it is <old>", facts=[1], weight="low")
UNKNOWN = Cell(status="differs", facts="<script>", weight="high")
REPORT = ParityReport(
    columns=(
        Column(launcher="process", services={"redis": REDIS}, seconds=1.0),
        Column(launcher="attach", absent="none is set", services={}),
    ),
    cases={"redis": 4},
    rows=(
        Row(suite="redis", case="first", expected=[2], cells={"process": KNOWN}),
        Row(suite="redis", case="second", expected="x", cells={"process": UNKNOWN}),
    ),
    left_out={"third": "cannot be asked"},
)


def test_report_fits_its_schema_and_hides_passwords() -> None:
    """A password never leaves."""
    text = json.dumps(REPORT.to_json())

    Draft202012Validator(SCHEMA).validate(json.loads(text))
    assert "secret-word" not in text
    assert not REPORT.ok


def test_page_shows_unknown_differences_first_and_takes_nothing_as_markup() -> None:
    """What a server answered is text."""
    page = web_page(REPORT)

    assert "unknown differences: 1" in page
    assert page.index("second") < page.index("first")
    assert "<script>" not in page
    assert "it is &lt;old&gt;" in page
    assert "secret-word" not in page
    assert "not compared: none is set" in page
