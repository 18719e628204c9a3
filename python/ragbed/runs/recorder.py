"""Recording a run: its folder appears with a whole manifest, events are appended, the outcome is written last."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ragbed.errors import ConfigurationError
from ragbed.events import within_run
from ragbed.runs.event_file import NAME as EVENTS
from ragbed.runs.event_file import scrubbed
from ragbed.runs.event_recorder import EventRecorder
from ragbed.runs.history import ARTIFACTS, MANIFEST, OUTCOME, forget_old_runs, unfinished_folder
from ragbed.runs.manifest import PACKAGES, manifest_of
from ragbed.runs.outcome import Outcome, outcome_of
from ragbed.runs.surroundings import installed_packages
from ragbed.state.files import write_atomically, write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from ragbed.events import Event, Listener
    from ragbed.guard.data_class import DataClass
    from ragbed.runs.manifest import RunKind, RunManifest
    from ragbed.settings import Settings
    from ragbed.stack import Endpoint
    from ragbed.state import StateFolder

_ON_THE_WAY = ("stage.progress", "test.ended")
_CALLS_EVERY_S = 1.0


class RunRecorder(EventRecorder):
    """Takes what happens in a run; open it by `recorded_run`.

    Attributes:
        manifest: Of the run.
    """

    def __init__(
        self,
        manifest: RunManifest,
        folder: Path | None,
        settings: Settings,
        *listeners: Listener,
        problem: str,
    ) -> None:
        super().__init__(
            manifest.id, folder / EVENTS if folder else None, settings, *listeners, problem=problem
        )
        self.manifest = manifest
        self._outcome: Outcome | None = None
        self._calls_due = 0.0
        self.sink.listen(self._read_calls_now_and_then)

    def uses(self, endpoints: Iterable[Endpoint]) -> None:
        """Learn where services answer, as every recorder does, and add it to the manifest."""
        known = tuple(endpoints)
        super().uses(known)
        self.names(known)

    def names(self, endpoints: Iterable[Endpoint]) -> None:
        """Add to the manifest where services answer that another process of the run uses."""
        self.manifest = replace(self.manifest, endpoints=tuple(endpoints))
        if self.folder:
            self._write(self.folder / MANIFEST, lambda path: write_json(path, self.manifest.to_json()))

    def outcome(self, outcome: Outcome) -> dict[str, Any]:
        """Say how the run ends; it is written when the run has ended.

        Returns:
            The outcome in its published form, without secrets.
        """
        self._outcome = outcome
        value: dict[str, Any] = scrubbed(outcome.to_json(), self._scrub)
        return value

    def attach(self, path: Path, data_class: DataClass) -> None:
        """Keep a copy of a file as an artifact of the run, under its name; a text without its secrets.

        Args:
            path: The file; where it cannot be read, `problem` says so.
            data_class: How far what it holds may go; the manifest says it.
        """
        try:
            content = path.read_bytes()
        except OSError as error:
            self._fail(error)
            return
        with suppress(UnicodeDecodeError):
            content = self._scrub(content.decode()).encode()
        self._keep(path.name, content, data_class)

    def attach_text(self, name: str, text: str, data_class: DataClass) -> None:
        """Keep a text as an artifact of the run, without its secrets.

        Args:
            name: File name in `artifacts/`.
            text: The whole.
            data_class: How far it may go; the manifest says it.
        """
        self._keep(name, self._scrub(text).encode(), data_class)

    def _keep(self, name: str, content: bytes, data_class: DataClass) -> None:
        if not self.folder:
            return
        self._write(self.folder / ARTIFACTS / name, lambda path: write_atomically(path, content))
        self.manifest = replace(self.manifest, artifacts={**self.manifest.artifacts, name: data_class})
        self._write(self.folder / MANIFEST, lambda path: write_json(path, self.manifest.to_json()))
        self.sink.emit("artifact.written", name, size_bytes=len(content), data_class=data_class)

    def close(self, outcome: Outcome) -> None:
        """Write the outcome, unless the run has said another one, and end the event stream.

        Args:
            outcome: How the run ended as its caller sees it.
        """
        outcome = self._outcome or outcome
        self.read_calls()
        self.sink.emit("run.ended", outcome.subject, seconds=outcome.seconds, status=outcome.status)
        if not (self._file and self.folder):
            return
        value = self.outcome(outcome)
        self.close_events()
        self._write(self.folder / OUTCOME, lambda path: write_json(path, value))

    def _read_calls_now_and_then(self, event: Event) -> None:
        """Read the mock's journal when a stage ends, and now and then on the way: it keeps the last calls only."""
        now = time.monotonic()
        if event.kind == "stage.ended" or (event.kind in _ON_THE_WAY and now >= self._calls_due):
            self._calls_due = now + _CALLS_EVERY_S
            self.read_calls()

    def _write(self, path: Path, write: Callable[[Path], None]) -> None:
        try:
            write(path)
        except OSError as error:
            self._fail(error)


@contextmanager
def recorded_run(
    kind: RunKind,
    settings: Settings,
    folder: StateFolder,
    *listeners: Listener,
    command: Sequence[str] = (),
    run: str = "",
) -> Iterator[RunRecorder]:
    """Record what the body does, from now on to its end, however it ends; old runs are deleted.

    Args:
        kind: What kind of run.
        settings: The resolved settings, whose secrets never reach a file.
        folder: The state folder; made where it is not there.
        listeners: Called with each event, to render it for example.
        command: What was typed, a word each; empty takes the words of this process.
        run: The run's id, where other processes were told it before; empty makes one.
    """
    began = time.monotonic()
    manifest = manifest_of(kind, settings, command, run=run)
    place, problem = _made(manifest, folder)
    recorder = RunRecorder(manifest, place, settings, *listeners, problem=problem)

    def ended(error: BaseException | None) -> None:
        seconds = time.monotonic() - began
        recorder.close(outcome_of(error, subject=manifest.kind, seconds=seconds))

    with within_run(manifest.id):
        recorder.sink.emit("run.begun", manifest.kind)
        try:
            yield recorder
        except BaseException as error:
            ended(error)
            raise
        ended(None)


def _made(manifest: RunManifest, folder: StateFolder) -> tuple[Path | None, str]:
    """Make a run's folder, which appears with its manifest in it; returns it, or None and why not, in words."""
    try:
        folder.prepared()
        folder.runs.mkdir(exist_ok=True, mode=0o700)
        forget_old_runs(folder, besides=1)
        place = folder.runs / manifest.id
        beside = unfinished_folder(folder, manifest.id, os.getpid())
        try:
            (beside / ARTIFACTS).mkdir(parents=True, mode=0o700)
            write_json(beside / MANIFEST, manifest.to_json())
            (beside / EVENTS).touch(0o600)
            packages = "".join(f"{package}\n" for package in installed_packages())
            (beside / ARTIFACTS / PACKAGES).write_text(packages, encoding="utf-8")
            beside.rename(place)
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise
    except ConfigurationError as error:
        return None, f"the run is not recorded: {error.message}"
    except OSError as error:
        return None, f"the run is not recorded in {folder.runs}: {error.strerror or error}"
    return place, ""
