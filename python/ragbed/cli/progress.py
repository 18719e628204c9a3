"""The line of a fetch on stderr: bytes, rate, time left; in place on a terminal, now and then elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from ragbed.cli.terminal import plain
from ragbed.events import EventStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ragbed.events import Event, EventSink
    from ragbed.models import Progress

_EVERY_S = 10.0


@contextmanager
def progress_line() -> Iterator[EventSink]:
    """Yield a sink that shows the events of a fetch, the way that fits where stderr goes."""
    if not sys.stderr.isatty():
        yield EventStream(_LinesNowAndThen())
        return
    try:
        terminal = plain(sys.stderr)
        yield EventStream(
            lambda event: click.echo(f"\r\x1b[K{describe(progress_of(event))}", terminal, nl=False)
        )
    finally:
        click.echo(err=True)


def progress_of(event: Event) -> Progress:
    """Return how far a fetch is, as an event of it tells."""
    from ragbed.models import Progress

    return Progress(**event.data)  # type: ignore[arg-type] # the fields of a `Progress`


def describe(progress: Progress) -> str:
    """Return the progress as one line."""
    from ragbed.stack.sizes import shown_bytes, shown_time

    share = progress.done_bytes / progress.total_bytes if progress.total_bytes else 1.0
    line = f"{shown_bytes(progress.done_bytes)} of {shown_bytes(progress.total_bytes)} ({share:.0%})"
    if progress.left_s is None or progress.done_bytes >= progress.total_bytes:
        return line
    return f"{line}, {shown_bytes(progress.rate_bytes_s)}/s, {shown_time(progress.left_s)} left"


class _LinesNowAndThen:
    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self, event: Event) -> None:
        progress = progress_of(event)
        over = progress.done_bytes >= progress.total_bytes
        if over or time.monotonic() - self._last >= _EVERY_S:
            self._last = time.monotonic()
            click.echo(describe(progress), err=True)
