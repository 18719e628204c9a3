"""The live table of `ragbed up`: a row per service on a terminal, a line per event elsewhere."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from ragbed.cli.output import note, ready_line, used

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.live import Live
    from rich.table import Table

    from ragbed.stack import Endpoint


class StackView(Protocol):
    """What the stack's life is told to."""

    def ready(self, endpoint: Endpoint, seconds: float) -> None:
        """Show that a service answers, and after how long."""

    def died(self, services: Sequence[str]) -> None:
        """Show that services have ended by themselves."""

    def say(self, line: str) -> None:
        """Show a line."""


@contextmanager
def stack_view(services: Sequence[str]) -> Iterator[StackView]:
    """Yield the view that fits where stderr goes.

    Args:
        services: The rows, in order.
    """
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.live import Live

    view, console = _LiveTable(services), Console(stderr=True)
    try:
        with Live(view.table(), console=console, auto_refresh=False) as live:
            view.live = live
            yield view
    finally:
        console.show_cursor()  # which an interrupt within `Live` leaves hidden


class _Lines:
    """A line per event, for logs and pipes."""

    def ready(self, endpoint: Endpoint, seconds: float) -> None:
        note(ready_line(endpoint, seconds))

    def died(self, services: Sequence[str]) -> None:
        note(f"ragbed: {', '.join(services)} died; starting it again on its data")

    def say(self, line: str) -> None:
        note(line)


class _LiveTable:
    """A row per service that changes in place; lines scroll by above it."""

    def __init__(self, services: Sequence[str]) -> None:
        self.live: Live | None = None
        self._states = dict.fromkeys(services, "starting")
        self._endpoints: dict[str, tuple[Endpoint, float]] = {}

    def ready(self, endpoint: Endpoint, seconds: float) -> None:
        self._states[endpoint.service] = "ready"
        self._endpoints[endpoint.service] = (endpoint, seconds)
        self._refresh()

    def died(self, services: Sequence[str]) -> None:
        self._states.update(dict.fromkeys(services, "died, starting again"))
        self._refresh()

    def say(self, line: str) -> None:
        if self.live:
            self.live.console.print(line, markup=False, highlight=False)

    def table(self) -> Table:
        """Return the table as it stands."""
        from rich import box
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for column in ("service", "state", "version", "used", "url"):
            table.add_column(column, overflow="fold")
        for service, state in self._states.items():
            table.add_row(service, *self._cells(service, state))
        return table

    def _cells(self, service: str, state: str) -> tuple[str, ...]:
        from ragbed.guard import redacted

        if service not in self._endpoints:
            return (state, "", "", "")
        endpoint, seconds = self._endpoints[service]
        shown = f"{state} ({seconds:.2f} s)" if state == "ready" and seconds else state
        return (shown, f"{endpoint.product} {endpoint.version}", used(endpoint), redacted(endpoint.url))

    def _refresh(self) -> None:
        if self.live:
            self.live.update(self.table(), refresh=True)
