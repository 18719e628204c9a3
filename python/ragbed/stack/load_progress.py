"""The progress of a model's load, told while the request that loads it waits."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING

from ragbed.stack.sizes import shown_bytes, shown_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LAST_WORD_S = 0.5
"""A size that is still being asked for holds up the end so long at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loading:
    """A model that is being loaded.

    Attributes:
        model: Its name.
        size_bytes: Of all its parts, as the server lists it; 0 where it does not say.
        elapsed_s: Since the load was asked for.
    """

    model: str
    size_bytes: int
    elapsed_s: float

    @property
    def line(self) -> str:
        """What to show: `loading llama3.1:8b, 4.9 GB: 12 s`."""
        size = f", {shown_bytes(self.size_bytes)}" if self.size_bytes else ""
        return f"loading {self.model}{size}: {shown_time(self.elapsed_s)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadProgress:
    """How the progress of a load is told.

    Attributes:
        tell: Called on a thread of its own.
        size: Asks for the model's size; called once at most, and only for a load that lasts.
        after_s: When it is told first.
        every_s: How often from then on.
    """

    tell: Callable[[Loading], None]
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
        telling.tell(Loading(model=model, size_bytes=size_bytes, elapsed_s=time.monotonic() - started))
        done.wait(telling.every_s)
