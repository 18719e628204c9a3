"""How far an ingest is, as events: few of a long way too, since each is kept with the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ragbed.events import EventSink

Stage = Literal["reading", "indexing", "finishing"]

_FILES = 100
"""An event for so many files read."""


class IngestProgress:
    """Emits `stage.progress` of an ingest.

    Args:
        events: Takes them.
    """

    def __init__(self, events: EventSink) -> None:
        self._events = events
        self._latest: tuple[Stage, int] | None = None

    def read(self, files: int) -> None:
        """Say how many files were read."""
        self._emit("reading", step=files // _FILES, done=files, unit="documents")

    def indexed(self, done: int, total: int, *, batch: int) -> None:
        """Say how many chunks are in the index: after each batch on a short way, ten times on a long one.

        Args:
            done: Chunks in the index.
            total: Chunks that will be there.
            batch: Chunks that are written at once.
        """
        step = total if done == total else done // max(batch, total // 10)
        self._emit("indexing", step=step, done=done, total=total, unit="chunks")

    def finishing(self) -> None:
        """Say that all is written, and is being counted."""
        self._emit("finishing", step=0)

    def _emit(self, stage: Stage, *, step: int, done: int = 0, total: int = 0, unit: str = "") -> None:
        if self._latest != (stage, step):
            self._latest = stage, step
            self._events.emit("stage.progress", stage, done=done, total=total, unit=unit)
