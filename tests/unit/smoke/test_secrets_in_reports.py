"""A secret that a stage's error repeats reaches neither report nor terminal."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

from ragbed.runs import find_run, recorded_run
from ragbed.settings import resolve_settings
from ragbed.smoke.plan import SmokeOptions
from ragbed.smoke.report import SmokeReport, has_report
from ragbed.smoke.runner import run_smoke
from ragbed.state import StateFolder

if TYPE_CHECKING:
    from pathlib import Path


def test_a_secret_in_a_failure_is_hidden(tmp_path: Path) -> None:
    """Message, details and what is shown of the stage have stars in its place."""
    settings = resolve_settings(folder=tmp_path, environ={"OPENAI_API_KEY": "sekret-4711"})
    folder, shown = StateFolder(root=tmp_path / "state"), []
    with recorded_run("smoke", settings, folder, shown.append) as run:
        report = run_smoke(settings, folder, SmokeOptions(corpus=tmp_path / "sekret-4711"), run)

    kept = [path.read_text(encoding="utf-8") for path in folder.runs.rglob("*") if path.is_file()]
    assert "sekret-4711" not in json.dumps(report.to_json()) + str(shown) + str(kept)
    assert report.failure is not None
    assert f"the corpus {tmp_path}/*** is not a folder" in report.failure.message


def test_the_report_is_a_view_of_the_runs_folder(tmp_path: Path) -> None:
    """Manifest, events and outcome hold all of it; the artifact is made from it."""
    folder = StateFolder(root=tmp_path / "state")
    settings = resolve_settings(folder=tmp_path, environ={})
    with recorded_run("smoke", settings, folder) as run:
        report = run_smoke(settings, folder, SmokeOptions(corpus=tmp_path / "none"), run)

    record = find_run(folder, run.id)
    assert record.outcome is not None
    assert SmokeReport.of(record.manifest, record.events()[0], record.outcome) == report
    kept = json.loads((record.folder / "artifacts/report.json").read_text(encoding="utf-8"))
    assert kept == json.loads(json.dumps(report.to_json()))


def test_a_run_that_was_interrupted_has_no_report(tmp_path: Path) -> None:
    """Its outcome has none of a report's facts."""
    folder = StateFolder(root=tmp_path / "state")
    with (
        suppress(KeyboardInterrupt),
        recorded_run("smoke", resolve_settings(folder=tmp_path, environ={}), folder),
    ):
        raise KeyboardInterrupt

    outcome = find_run(folder, "last").outcome
    assert outcome is not None
    assert not has_report(outcome)
