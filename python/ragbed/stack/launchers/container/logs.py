"""What a container wrote: shown while it is there, kept in the stack's log once it goes."""

from __future__ import annotations

import threading
from contextlib import suppress
from queue import Empty, Queue
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path


def lines_of(container: Any, lines: int) -> list[str]:
    """Return the last lines that a container wrote.

    Args:
        container: docker-py's.
        lines: How many at most.
    """
    wrote: bytes = container.logs(tail=lines) if lines else b""
    return [line.rstrip("\r") for line in wrote.decode(errors="replace").splitlines()]


def keep_log(container: Any, log: Path) -> None:
    """Append all that a container wrote to its service's log: the container is about to go."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        file.write(container.logs())


def follow_container(container: Any, *, lines: int, ended: Callable[[], bool]) -> Iterator[Sequence[str]]:
    """Yield the last lines that a container wrote, then new ones as they come.

    Args:
        container: docker-py's.
        lines: How many of those that are there.
        ended: Asked at least every quarter of a second: true ends it.
    """
    stream = container.logs(stream=True, follow=True, tail=lines)
    pieces: Queue[bytes | None] = Queue()

    def read() -> None:
        with suppress(Exception):  # the stream is closed under it at the end
            for piece in stream:
                pieces.put(piece)
        pieces.put(None)

    threading.Thread(target=read, daemon=True).start()
    rest = b""
    try:
        while not ended():
            with suppress(Empty):
                piece = pieces.get(timeout=0.25)
                if piece is None:
                    return
                *whole, rest = (rest + piece).split(b"\n")
                if whole:
                    yield [line.decode(errors="replace").rstrip("\r") for line in whole]
    finally:
        with suppress(Exception):
            stream.close()
