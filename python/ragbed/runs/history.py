"""The runs that the state folder holds: how each ended, and which are old enough to go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import psutil

from ragbed.errors import UsageError
from ragbed.runs.event_file import read_run_events
from ragbed.runs.run_id import is_run_id
from ragbed.stack.processes import ProcessIdentity
from ragbed.state.files import is_file, is_folder, read_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ragbed.events import Event
    from ragbed.runs.outcome import OutcomeStatus
    from ragbed.state import StateFolder

RUNS_KEPT = 50
"""So many of the newest runs stay; one that is still running stays beside them."""

MANIFEST, OUTCOME, ARTIFACTS = "manifest.json", "outcome.json", "artifacts"
SEQUENCE = "sequence"
"""Folder of a run's artifacts with what each process of a test session ran, and when."""
RunStatus = Literal["running", "killed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """A run as its folder tells of it.

    Attributes:
        id: The run's id.
        folder: Its folder.
        manifest: As `docs/run-manifest.schema.json` describes it; empty where it cannot be read.
        outcome: As `docs/run-outcome.schema.json` describes it; None where there is none.
    """

    id: str
    folder: Path
    manifest: Mapping[str, Any]
    outcome: Mapping[str, Any] | None

    @property
    def status(self) -> OutcomeStatus | RunStatus:
        """How the run ended; without an outcome it is running while its writer lives, and else was killed."""
        if self.outcome:
            status: OutcomeStatus = self.outcome["status"]
            return status
        return "running" if self.is_running() else "killed"

    @property
    def began(self) -> datetime | None:
        """When it began, UTC; None where the manifest does not say."""
        try:
            return datetime.fromisoformat(self.manifest["started_at"])
        except (KeyError, TypeError, ValueError):
            return None

    @property
    def artifacts(self) -> list[Path]:
        """The files that the run left, sorted."""
        folder = self.folder / ARTIFACTS
        return sorted(path for path in folder.iterdir() if is_file(path)) if is_folder(folder) else []

    def is_running(self) -> bool:
        """Tell whether there is no outcome and the process that writes the run still lives."""
        if self.outcome:
            return False
        try:
            writer = ProcessIdentity.from_json(self.manifest["writer"])
        except (KeyError, TypeError, ValueError):
            return False
        return bool(writer and writer.is_alive())

    def events(self) -> tuple[list[Event], int]:
        """Return the run's events in order, and how many lines were skipped: a kill may tear the last of a file.

        Where several processes worked for the run, their events are in the order of their times.
        """
        return read_run_events(self.folder)


def list_runs(folder: StateFolder) -> list[RunRecord]:
    """Return the runs of a state folder, the newest first."""
    return [load_run(path) for path in _newest_first(folder)]


def find_run(folder: StateFolder, name: str) -> RunRecord:
    """Return the run that an id, or the beginning of one, names; `last` names the newest.

    Raises:
        UsageError: No run has that id, or several do.
    """
    runs = list_runs(folder)
    matching = runs[:1] if name == "last" else [run for run in runs if run.id.startswith(name)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise UsageError(
            f"{len(matching)} runs begin with {name}",
            details=[run.id for run in matching[:5]],
            hint="give more of the id",
        )
    raise UsageError(f"no run {name} in {folder.runs}", hint="ragbed runs list shows the ids")


def unfinished_folder(folder: StateFolder, run: str, writer: int) -> Path:
    """Return where a run's folder is made, before it gets its name.

    Args:
        folder: The state folder.
        run: Id of the run.
        writer: Process id of the writer.
    """
    return folder.runs / f".{run}.{writer}"


def forget_old_runs(folder: StateFolder, *, besides: int) -> None:
    """Delete all but the newest runs, and what killed ones left unfinished; a run that is still running stays.

    Args:
        folder: The state folder.
        besides: How many new runs are about to be made.
    """
    for path in _newest_first(folder)[RUNS_KEPT - besides :]:
        if not load_run(path).is_running():
            folder.remove(path)
    for path in folder.runs.glob(".*.*"):
        run_id, _, writer = path.name[1:].rpartition(".")
        if (
            is_run_id(run_id)
            and writer.isdecimal()
            and len(writer) < 10
            and not psutil.pid_exists(int(writer))
        ):
            folder.remove(path)


def _newest_first(folder: StateFolder) -> list[Path]:
    """Return the folders of runs; their names begin with the time."""
    if not is_folder(folder.runs):
        return []
    return sorted(
        (path for path in folder.runs.iterdir() if is_run_id(path.name) and is_folder(path)), reverse=True
    )


def load_run(folder: Path) -> RunRecord:
    """Return the run that a folder holds, as far as it can be read."""
    outcome = read_json(folder / OUTCOME)
    return RunRecord(
        id=folder.name,
        folder=folder,
        manifest=read_json(folder / MANIFEST) or {},
        outcome=outcome if outcome and isinstance(outcome.get("status"), str) else None,
    )
