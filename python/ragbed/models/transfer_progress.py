"""How far a fetch is: bytes, rate over the last seconds, time left."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_WINDOW_S = 5.0
_STEP_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a fetch is.

    Attributes:
        done_bytes: What is there, with what was there before.
        total_bytes: What there will be.
        rate_bytes_s: Over the last five seconds; 0 while nothing comes.
        left_s: Time left at that rate; None while nothing comes.
    """

    done_bytes: int
    total_bytes: int
    rate_bytes_s: float
    left_s: float | None


class TransferProgress:
    """Counts the bytes of all transfers of a fetch; called from many threads.

    Args:
        total_bytes: What there will be.
        clock: Seconds that only go forward.
    """

    def __init__(self, total_bytes: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._total = total_bytes
        self._clock = clock
        self._there = 0
        self._moved = 0
        self._lock = Lock()
        self._marks: deque[tuple[float, int]] = deque([(clock(), 0)])

    def found(self, count: int) -> None:
        """Count bytes that were there already; negative where they turned out to be wrong."""
        with self._lock:
            self._there += count

    def moved(self, count: int) -> None:
        """Count bytes that came."""
        now = self._clock()
        with self._lock:
            self._there += count
            self._moved += count
            if now - self._marks[-1][0] >= _STEP_S:
                self._marks.append((now, self._moved))
            while now - self._marks[0][0] > _WINDOW_S and len(self._marks) > 1:
                self._marks.popleft()

    def progress(self) -> Progress:
        """Return how far it is now."""
        now = self._clock()
        with self._lock:
            recent = [mark for mark in self._marks if now - mark[0] <= _WINDOW_S] or [(now, self._moved)]
            since, before = recent[0]
            rate = (self._moved - before) / (now - since) if now > since else 0.0
            left = (self._total - self._there) / rate if rate > 0 else None
            return Progress(done_bytes=self._there, total_bytes=self._total, rate_bytes_s=rate, left_s=left)
