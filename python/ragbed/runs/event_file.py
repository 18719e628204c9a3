"""`events.jsonl`: an event a line, appended as it happens; the reader skips and counts lines that a kill tore.

Each worker of pytest-xdist has a file of its own beside it: `events-gw0.jsonl`.
"""

from __future__ import annotations

import heapq
import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ragbed.events import Event
from ragbed.state.files import is_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NAME = "events.jsonl"
_BEGINS, _ENDS = "events-", ".jsonl"


class EventFile:
    """A listener that appends each event to a file, in one write.

    Args:
        path: The file; made where it is not there.

    Raises:
        OSError: It cannot be made.
    """

    def __init__(self, path: Path) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._handle = os.open(path, flags, 0o600)
        self._torn = False

    def __call__(self, event: Event) -> None:
        """Append an event.

        Raises:
            OSError: The disk is full; the next event begins a line of its own.
        """
        line = json.dumps(event.to_json(), separators=(",", ":"), default=str).encode() + b"\n"
        rest = b"\n" + line if self._torn else line
        self._torn = True
        while rest:
            rest = rest[os.write(self._handle, rest) :]
        self._torn = False

    def close(self) -> None:
        """Have the file written to the disk, and close it."""
        os.fsync(self._handle)
        os.close(self._handle)


def scrubbed(value: Any, scrub: Callable[[str], str]) -> Any:
    """Return a JSON value with secrets taken out of each of its texts, names of fields aside."""
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, dict):
        return {key: scrubbed(one, scrub) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [scrubbed(one, scrub) for one in value]
    return value


def file_of_worker(folder: Path, worker: str) -> Path:
    """Return the file of a process that joined a run.

    Args:
        folder: Of the run.
        worker: The name of the process: `gw0`.
    """
    return folder / f"{_BEGINS}{worker}{_ENDS}"


def read_run_events(folder: Path) -> tuple[list[Event], int]:
    """Return the events of a run in order, and how many lines of its files are not events and were skipped.

    The events of several files are in the order of their times, and numbered anew.

    Args:
        folder: Of the run.
    """
    events, skipped = read_events(folder / NAME)
    parts = [read_events(path) for path in sorted(folder.glob(f"{_BEGINS}*{_ENDS}"))]
    if not parts:
        return events, skipped
    merged = heapq.merge(events, *(part for part, _ in parts), key=lambda event: event.at)
    numbered = [replace(event, seq=number) for number, event in enumerate(merged, 1)]
    return numbered, skipped + sum(torn for _, torn in parts)


def read_events(path: Path) -> tuple[list[Event], int]:
    """Return the events of a file in order, and how many of its lines are not events and were skipped.

    Args:
        path: The file; one that is not there, or is a link, has no events.
    """
    if not is_file(path):
        return [], 0
    events, skipped = [], 0
    for line in path.read_bytes().splitlines():
        try:
            events.append(Event.from_json(json.loads(line)))
        except (ValueError, RecursionError):
            skipped += bool(line)
    return events, skipped
