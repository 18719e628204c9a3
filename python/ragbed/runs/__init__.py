"""Runs: every smoke, stack, ingest and test run leaves a manifest, an event stream and an outcome as they happen.

`.ragbed/runs/ID/` holds `manifest.json`, `events.jsonl`, `outcome.json` and `artifacts/`. Where the outcome is
missing, the run was killed, or its writer still lives.
"""

from ragbed.runs.history import RunRecord, find_run, list_runs
from ragbed.runs.manifest import RunKind, RunManifest
from ragbed.runs.outcome import Outcome, OutcomeStatus
from ragbed.runs.recorder import RunRecorder, recorded_run

__all__ = [
    "Outcome",
    "OutcomeStatus",
    "RunKind",
    "RunManifest",
    "RunRecord",
    "RunRecorder",
    "find_run",
    "list_runs",
    "recorded_run",
]
