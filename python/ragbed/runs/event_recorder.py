"""What every process of a run does: append events to a file of its own, without secrets, calls of the mock LLM too.

One process records the run. Others that work for it, as the workers of pytest-xdist, join it by `joined_run`.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from ragbed.events import EventStream, TestId, within_run
from ragbed.guard import scrubber
from ragbed.runs.event_file import EventFile, file_of_worker, scrubbed
from ragbed.runs.llm_calls import LlmCalls

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from ragbed.events import Event, Listener
    from ragbed.settings import Settings
    from ragbed.stack import Endpoint

logger = logging.getLogger(__name__)


class EventRecorder:
    """Takes the events of one process of a run.

    Evidence does not stop the work: where nothing can be written, the run goes on and `problem` says why.

    Args:
        run: The run's id.
        path: The file of events; None where the run cannot be recorded.
        settings: The resolved settings, whose secrets never reach a file.
        listeners: Called with each event beside.
        problem: Why the run is not recorded.

    Attributes:
        id: The run's id.
        folder: The run's folder; None where the run cannot be recorded.
        problem: Why the run, or a part of it, is not recorded, in words; empty where all is.
        endpoints: Where the services answer that this process uses.
        sink: Where events go: to the file and to the listeners, without secrets.
    """

    def __init__(
        self, run: str, path: Path | None, settings: Settings, *listeners: Listener, problem: str = ""
    ) -> None:
        self.id = run
        self.folder = path.parent if path else None
        self.problem = problem
        self.endpoints: tuple[Endpoint, ...] = ()
        self._settings = settings
        self._scrub = scrubber(settings)
        self._file = self._opened(path) if path else None
        self.sink = EventStream(self._append, *listeners, run=run, change=self._without_secrets)
        self._calls = LlmCalls((), run, self.sink)

    def uses(self, endpoints: Iterable[Endpoint]) -> None:
        """Learn where services answer: their passwords are secrets from now on, and the mock LLM's journal is read."""
        known = tuple(endpoints)
        self.endpoints = known
        self._scrub = scrubber(self._settings, [one.url for one in known])
        self._calls = LlmCalls(known, self.id, self.sink)

    def read_calls(self, *, test: str = "") -> None:
        """Take over the calls of language models that have ended; call it before the mock LLM ends.

        Args:
            test: Only those of a test; empty takes all of the run.
        """
        self._calls.read(test=test)

    def close_events(self) -> None:
        """Have the events written to the disk."""
        if self._file:
            with suppress(OSError):  # the disk is full: what is there stays
                self._file.close()

    def _without_secrets(self, event: Event) -> Event:
        return replace(
            event,
            subject=self._scrub(event.subject),
            test=TestId(self._scrub(event.test)) if event.test else None,
            data=scrubbed(event.data, self._scrub),
        )

    def _opened(self, path: Path) -> EventFile | None:
        try:
            return EventFile(path)
        except OSError as error:
            self._fail(error)
            return None

    def _append(self, event: Event) -> None:
        if not self._file:
            return
        try:
            self._file(event)
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        if not self.problem:
            self.problem = f"the run {self.id} is not wholly recorded: {error.strerror or error}"
            logger.warning("ragbed: %s", self.problem)


@contextmanager
def joined_run(run: str, folder: Path, settings: Settings, *, worker: str) -> Iterator[EventRecorder]:
    """Record what this process does for a run of another one, in a file beside that one's.

    Args:
        run: The run's id.
        folder: Of the run; where it is not there, nothing is recorded.
        settings: The resolved settings, whose secrets never reach a file.
        worker: The name of this process, unique in the run: `gw0`.
    """
    recorder = EventRecorder(run, file_of_worker(folder, worker) if folder.is_dir() else None, settings)
    with within_run(run):
        try:
            yield recorder
        finally:
            recorder.close_events()
