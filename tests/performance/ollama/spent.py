"""What a step takes: by the clock, and of the processors."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Seconds by the clock, and of processors' time."""

    seconds: float
    cpu_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """Measures steps of this process, together with what servers spend on them.

    Attributes:
        servers: Process ids; what they have started counts too.
    """

    servers: Sequence[int]

    def measure(self, act: Callable[[], object]) -> Spent:
        """Do something and return what it took."""
        cpu_s, began = self._cpu_s(), time.perf_counter()
        act()
        return Spent(seconds=time.perf_counter() - began, cpu_s=self._cpu_s() - cpu_s)

    def _cpu_s(self) -> float:
        roots = [psutil.Process(pid) for pid in self.servers]
        family = [
            psutil.Process(os.getpid()),
            *roots,
            *(one for root in roots for one in root.children(True)),
        ]
        return sum(_cpu_s(process) for process in family)


def _cpu_s(process: psutil.Process) -> float:
    """Return the time of a process and of those of its children that have ended."""
    with contextlib.suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        ended = getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
        return float(times.user + times.system + ended)
    return 0.0
