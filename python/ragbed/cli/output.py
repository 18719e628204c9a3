"""How commands show results: tables and JSON on stdout, progress on stderr."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from ragbed.cli.terminal import plain
from ragbed.escaping import terminal_json, terminal_line, terminal_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.table import Table

    from ragbed.stack import Endpoint


def show_json(value: Any) -> None:
    """Print one JSON document and nothing else."""
    click.echo(terminal_json(json.dumps(value, indent=2, ensure_ascii=False)))


def show_table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[str] = ()) -> None:
    """Print a table; in a pipe, where no width is known, a line per row with tabs between the cells.

    Args:
        columns: Headings.
        rows: Cells, as wide as the headings.
        right: Headings of columns whose cells are numbers.
    """
    if not sys.stdout.isatty():
        for row in (columns, *rows):
            click.echo("\t".join(terminal_line(cell).replace("\t", " ") or "-" for cell in row))
        return
    from rich.console import Console

    Console(file=plain(sys.stdout), highlight=False).print(_table(columns, rows, right))


def show_services(
    columns: Sequence[str], rows: Sequence[Sequence[str]], blocks: Mapping[str, Sequence[tuple[str, str]]]
) -> None:
    """Print what belongs to services: a table where it fits, else a block per service.

    Args:
        columns: Headings of the table.
        rows: Its cells.
        blocks: The same by service: labels and values. A value stays whole, to be copied.
    """
    if not sys.stdout.isatty() or _fits(columns, rows):
        show_table(columns, rows)
        return
    for name, lines in blocks.items():
        click.echo(name)
        width = max((len(label) for label, _ in lines), default=0)
        for label, value in lines:
            click.echo(f"  {label:<{width}}  {terminal_line(value)}")


def _fits(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Tell whether every row of a table has room in a line of the terminal."""
    from rich.console import Console

    console = Console(file=plain(sys.stdout))
    table = _table(columns, rows, ())
    return console.measure(table, options=console.options.update(max_width=10_000)).maximum <= console.width


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(terminal_text(cell)) for cell in row))  # as it is: no markup, no :smile:
    return table


def confirm(question: str, *, command: str) -> None:
    """Ask before something is deleted or stopped for good.

    Args:
        question: What is asked, without the question mark's choices.
        command: What to type instead where there is no terminal to ask on.

    Raises:
        UsageError: The answer is no, or there is no terminal.
    """
    from ragbed.errors import UsageError

    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask on", hint=command)
    if not click.confirm(question, err=True):
        raise UsageError("the answer was no: all is left as it was")


def note(line: str) -> None:
    """Print a line of progress."""
    click.echo(line, err=True)


def ready_line(endpoint: Endpoint, seconds: float) -> str:
    """Return the line of progress for a service that is ready."""
    time = f" in {seconds:.2f} s" if seconds else ""
    return f"{endpoint.service:<9} {endpoint.product} {endpoint.version} ready{time}: {endpoint.origin}"


def used(endpoint: Endpoint) -> str:
    """Return what a report says of how a service was had: attached, process; substitute; by whom."""
    how = {"attach": "attached", "process": "process", "container": "container"}[endpoint.launcher]
    substitute = {"embedded-qdrant": "embedded", "mock-llm": "mock"}.get(endpoint.product)
    started = f"started by {endpoint.started_by}" if endpoint.started_by else ""
    return ", ".join(word for word in (how, substitute, started) if word)
