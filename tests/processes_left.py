"""Which processes go on: a zombie has ended, since its parent may be a container's first process and never look."""

from __future__ import annotations

import time
from threading import Event
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def left_of(processes: Iterable[psutil.Process], *, within_s: float = 20.0) -> list[psutil.Process]:
    """Return those that have not ended within so many seconds."""
    deadline, patience = time.monotonic() + within_s, Event()
    left = list(processes)
    while (left := [one for one in left if _goes_on(one)]) and time.monotonic() < deadline:
        patience.wait(0.02)
    return left


def named_in(file: Path) -> list[psutil.Process]:
    """Return those processes that still are there of the ones whose pids stand in a file."""
    pids = map(int, file.read_text(encoding="utf-8").split())
    return [process for pid in pids if (process := _found(pid))]


def _found(pid: int) -> psutil.Process | None:
    try:
        return psutil.Process(pid)
    except psutil.NoSuchProcess:
        return None


def _goes_on(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
