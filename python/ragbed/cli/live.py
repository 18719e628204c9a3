"""The live table of `ragbed up`: a row per service on a terminal, a line per event elsewhere."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ragbed.cli.events import EventLines, ProgressLines, endpoint_of
from ragbed.cli.output import used
from ragbed.cli.terminal import plain
from ragbed.escaping import terminal_line, terminal_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.live import Live
    from rich.table import Table

    from ragbed.events import Event, Listener
    from ragbed.stack import Endpoint


_WIDE = 120
"""Columns of a terminal from which on the table has room for addresses."""


@contextmanager
def stack_view(services: Sequence[str]) -> Iterator[Listener]:
    """Yield what shows the events of a stack, the way that fits where stderr goes.

    Args:
        services: The rows, in order.
    """
    if not sys.stderr.isatty():
        yield EventLines()
        return
    from rich.console import Console
    from rich.live import Live

    console = Console(file=plain(sys.stderr))
    view = _LiveTable(services, narrow=console.width < _WIDE)
    try:
        # Redirected, other lines would pass through the console, which takes escape sequences.
        with Live(
            view.table(), console=console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
        ) as live:
            view.live = live
            yield view.show
    finally:
        console.show_cursor()  # which an interrupt within `Live` leaves hidden


class _LiveTable:
    """A row per service that changes in place; lines scroll by above it."""

    def __init__(self, services: Sequence[str], *, narrow: bool) -> None:
        self._narrow = narrow
        self._progress = ProgressLines()
        self.live: Live | None = None
        self._states = dict.fromkeys(services, "starting")
        self._endpoints: dict[str, tuple[Endpoint, float]] = {}

    def show(self, event: Event) -> None:
        """Show an event: in the table where it is of a service, as a line above it where it says one."""
        if event.kind == "service.ready":
            self._ready(endpoint_of(event), event.seconds or 0)
        elif event.kind == "service.died":
            self._states[event.subject] = "died, starting again"
            self._refresh()
        elif (line := self._progress.of(event)) is not None:
            self._say(line)

    def _ready(self, endpoint: Endpoint, seconds: float) -> None:
        self._states[endpoint.service] = "ready"
        self._endpoints[endpoint.service] = (endpoint, seconds)
        if self._narrow:
            self._say(f"{endpoint.service}: {endpoint.url}")
        self._refresh()

    def _say(self, line: str) -> None:
        if self.live:
            # Whole, whatever the width: addresses are copied.
            self.live.console.print(terminal_text(line), markup=False, highlight=False, soft_wrap=True)

    def table(self) -> Table:
        """Return the table as it stands."""
        from rich import box
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for column in self._columns():
            table.add_column(column, overflow="fold")
        for service, state in self._states.items():
            table.add_row(service, *self._cells(service, state))
        return table

    def _columns(self) -> tuple[str, ...]:
        return ("service", "state", "version", "used", *(() if self._narrow else ("url",)))

    def _cells(self, service: str, state: str) -> tuple[str, ...]:
        if service not in self._endpoints:
            return (state, *[""] * (len(self._columns()) - 2))
        endpoint, seconds = self._endpoints[service]
        shown = f"{state} ({seconds:.2f} s)" if state == "ready" and seconds else state
        cells = (shown, f"{endpoint.product} {endpoint.version}", used(endpoint), endpoint.url)
        return tuple(map(terminal_line, cells[: len(self._columns()) - 1]))

    def _refresh(self) -> None:
        if self.live:
            self.live.update(self.table(), refresh=True)
