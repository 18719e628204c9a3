"""The progress of a model's load: events while the request that loads it waits."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ragbed.events import EventSink

_LAST_WORD_S = 0.5
"""A size that is still being asked for holds up the end so long at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadProgress:
    """How the progress of a load is told.

    Attributes:
        events: Takes `model.loading`, with the seconds since the load was asked for and `size_bytes`; called on a
            thread of its own.
        size: Asks for the size of all the model's parts, 0 for unknown; called once at most, and only for a load that
            lasts.
        after_s: When it is told first.
        every_s: How often from then on.
    """

    events: EventSink
    size: Callable[[str], int]
    after_s: float
    every_s: float


@contextmanager
def reporting_load(model: str, telling: LoadProgress) -> Iterator[None]:
    """Tell how long the body has been loading a model, until it ends."""
    done = Event()
    teller = Thread(target=_tell, args=(model, telling, done), daemon=True)
    teller.start()
    try:
        yield
    finally:
        done.set()
        teller.join(_LAST_WORD_S)


def _tell(model: str, telling: LoadProgress, done: Event) -> None:
    started = time.monotonic()
    if done.wait(telling.after_s):
        return
    size_bytes = telling.size(model)
    while not done.is_set():
        seconds = time.monotonic() - started
        telling.events.emit("model.loading", model, seconds=seconds, size_bytes=size_bytes)
        done.wait(telling.every_s)
