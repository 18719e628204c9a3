"""The smoke run as a suite: how each stage ended on a stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragbed.runs import recorded_run
from ragbed.smoke.plan import SmokeOptions
from ragbed.smoke.runner import run_smoke

if TYPE_CHECKING:
    from ragbed.parity.place import Place


def stage_results(place: Place) -> dict[str, str]:
    """Return how each stage of a smoke run ended, with the reason where it failed, by stage.

    Args:
        place: Its stack is attached to; the run is recorded as every smoke run is.
    """
    with recorded_run("smoke", place.settings, place.folder) as run:
        report = run_smoke(place.settings, place.folder, SmokeOptions(), run)
    return {
        stage.name: f"failed: {stage.detail}" if stage.status == "failed" else stage.status
        for stage in report.stages
    }
