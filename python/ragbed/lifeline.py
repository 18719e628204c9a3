"""A child process that ends when the one that started it does, however that ends.

The parent holds the writing end of a pipe and never writes; the kernel closes it with the parent, kill -9 included,
and the child, which waits for that in a thread, ends at once. Not for a child that keeps the interpreter to itself.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ABANDONED = 70
"""The exit code of a child whose parent has gone; no process is left to read it."""


@contextmanager
def lifeline() -> Iterator[int]:
    """Hold a line for a child; letting go of it ends the child.

    Yields:
        The file descriptor that the child follows: hand it over by `pass_fds`.
    """
    reading, writing = os.pipe()
    try:
        yield reading
    finally:
        os.close(writing)
        os.close(reading)


def follow(line: int) -> None:
    """End this process as soon as its parent lets go of the line.

    Args:
        line: The file descriptor from `lifeline`.
    """
    Thread(target=_end_with, args=(line,), name="lifeline", daemon=True).start()


def _end_with(line: int) -> None:
    os.read(line, 1)
    os._exit(ABANDONED)
