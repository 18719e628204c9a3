"""Following a log file: whole lines as they are written, woken by the file itself."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ragbed.stack.watching import woken_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path


def follow_log(log: Path, *, lines: int, ended: Callable[[], bool]) -> Iterator[Sequence[str]]:
    """Yield the last whole lines of a file, then new ones as they are written.

    Args:
        log: The file; one that is not there yields nothing.
        lines: How many of those that are there.
        ended: Asked at every turn, at least every quarter of a second: true ends it.
    """
    if not log.is_file():
        return
    with log.open("rb") as stream, woken_by(log, os.getpid()) as wait:
        *whole, rest = stream.read().split(b"\n")
        yield _shown(whole[-lines:] if lines else [])
        while not ended():
            *whole, rest = (rest + stream.read()).split(b"\n")
            if whole:
                yield _shown(whole)
            wait(0.25)


def _shown(lines: Sequence[bytes]) -> list[str]:
    return [line.decode(errors="replace").rstrip("\r") for line in lines]
