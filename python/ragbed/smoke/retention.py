"""What stays of runs in the state folder: the report of each run that is kept, and the gap pages that it names."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from ragbed.runs import list_runs
from ragbed.runs.history import RUNS_KEPT
from ragbed.stack.record import load_record

if TYPE_CHECKING:
    from ragbed.runs import RunRecorder
    from ragbed.smoke.report import SmokeReport
    from ragbed.stack import Stack
    from ragbed.state import StateFolder


def namespace_of(run_id: str) -> str:
    """Return the namespace of a run in every store; it sorts by time, as the id does."""
    return f"smoke_{run_id.replace('-', '_')}"


def keep_report(folder: StateFolder, report: SmokeReport, run: RunRecorder) -> SmokeReport:
    """Leave the report with its run, and delete gap pages of runs that are not kept any more.

    Args:
        folder: The state folder.
        report: Of the run that has ended.
        run: Its record.

    Returns:
        The report, with a note where the run could not be recorded: the caller sees it all the same.
    """
    run.attach_text("report.json", json.dumps(report.to_json(), indent=1), "internal")
    _forget_pages(folder)
    return replace(report, notes=(*report.notes, run.problem)) if run.problem else report


def _forget_pages(folder: StateFolder) -> None:
    """Delete gap pages that are older than the oldest run, once so many runs are kept that older ones have gone."""
    runs = list_runs(folder)
    if len(runs) < RUNS_KEPT:
        return
    oldest = namespace_of(runs[-1].id)
    for pages in folder.gaps.glob("smoke_*"):
        if pages.name < oldest:
            shutil.rmtree(pages, ignore_errors=True)


def is_up(folder: StateFolder, stack: Stack | None) -> bool:
    """Tell whether every service of a stack is there: one that runs by itself, or one the state folder answers for.

    Where another stack was up, what a run started beside it has ended with the run.
    """
    if stack is None:
        return False
    try:
        record = load_record(folder)
    except OSError:  # then no command finds it either
        record = None
    urls = {endpoint.url for endpoint in record.endpoints.values()} if record else set()
    return all(one.launcher == "attach" or one.url in urls for one in stack.endpoints.values())
