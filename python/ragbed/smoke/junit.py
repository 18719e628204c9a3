"""A smoke report as JUnit XML, which CI systems read."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from ragbed.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from ragbed.smoke.report import SmokeReport

_ALLOWED_CONTROLS = "\t\n\r"


def write_junit(report: SmokeReport, path: Path) -> None:
    """Write the report, a test case per stage.

    Raises:
        UsageError: The file cannot be written.

    Source: the JUnit XML schema that the Jenkins project documents.
    """
    suite = ET.Element(
        "testsuite",
        name="ragbed smoke",
        tests=str(len(report.stages)),
        failures=str(sum(stage.status == "failed" for stage in report.stages)),
        skipped=str(sum(stage.status == "skipped" for stage in report.stages)),
        errors="0",
        time=f"{report.seconds:.3f}",
    )
    for stage in report.stages:
        case = ET.SubElement(
            suite, "testcase", classname="ragbed.smoke", name=stage.name, time=f"{stage.seconds:.3f}"
        )
        if stage.status == "skipped":
            ET.SubElement(case, "skipped", message=_clean(stage.detail))
        elif stage.status == "failed" and report.failure:
            failure = ET.SubElement(case, "failure", message=_clean(report.failure.message))
            failure.text = _clean("\n".join((*report.failure.details, report.failure.hint)))
        elif stage.detail:
            ET.SubElement(case, "system-out").text = _clean(stage.detail)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        ET.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)
    except OSError as error:
        raise UsageError(
            f"cannot write the JUnit report {path}: {error.strerror or error}",
            hint="give --junit a file in a folder that you may write",
        ) from error


def _clean(text: str) -> str:
    """Drop control characters, which XML cannot hold."""
    return "".join(letter for letter in text if letter.isprintable() or letter in _ALLOWED_CONTROLS)
