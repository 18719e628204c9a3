"""Waiting for events: a log that grows, a process that ends."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

from ragbed.stack import watching

if TYPE_CHECKING:
    from pathlib import Path

LONG_S = 30  # half of what a wait without an event would take
EVENTS = watching._kqueue if sys.platform == "darwin" else watching._inotify


def started(code: str) -> subprocess.Popen[str]:
    """Start a Python process that waits for a line on its input."""
    return subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, text=True)


def seconds_until_woken(log: Path, process: subprocess.Popen[str]) -> float:
    """Return how long a wait took that follows an event."""
    with EVENTS(log, process.pid) as wait:
        with log.open("a", encoding="utf-8") as file:
            file.write("a line\n")
        began = time.monotonic()
        wait(60)
        return time.monotonic() - began


def test_a_line_in_the_log_wakes(tmp_path: Path) -> None:
    """A wait ends when the log grows, before its time is over."""
    log = tmp_path / "log"
    log.touch()
    with started("input()") as process:
        took = seconds_until_woken(log, process)
        process.communicate("end\n")

    assert took < LONG_S


def test_the_end_of_the_process_wakes(tmp_path: Path) -> None:
    """A wait ends when the process does."""
    log = tmp_path / "log"
    log.touch()
    with started("input()") as process, EVENTS(log, process.pid) as wait:
        process.communicate("end\n")
        began = time.monotonic()
        wait(60)
        took = time.monotonic() - began

    assert took < LONG_S


def test_a_wait_without_events_ends_soon(tmp_path: Path) -> None:
    """A service may turn ready without a word: a wait is never longer than a fraction of a second."""
    log = tmp_path / "log"
    log.touch()
    with started("input()") as process:
        with watching.woken_by(log, process.pid) as wait:
            began = time.monotonic()
            wait(60)
            took = time.monotonic() - began
        process.communicate("end\n")

    assert took < LONG_S
