"""How commands show results: tables and JSON on stdout, progress on stderr."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ragbed.stack import Endpoint


def show_json(value: Any) -> None:
    """Print one JSON document and nothing else."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def show_table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[str] = ()) -> None:
    """Print a table.

    Args:
        columns: Headings.
        rows: Cells, as wide as the headings.
        right: Headings of columns whose cells are numbers.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))  # as it is: no markup, no :smile:
    # A pipe has no width: rows stay whole there, for grep and for logs.
    console = Console(soft_wrap=False, width=None if sys.stdout.isatty() else 4096, highlight=False)
    console.print(table)


def note(line: str) -> None:
    """Print a line of progress."""
    click.echo(line, err=True)


def ready_line(endpoint: Endpoint, seconds: float) -> str:
    """Return the line of progress for a service that is ready."""
    time = f" in {seconds:.2f} s" if seconds else ""
    return f"  {endpoint.service:<9} {endpoint.product} {endpoint.version} ready{time}: {endpoint.origin}"


def used(endpoint: Endpoint) -> str:
    """Return what a report says of how a service was had: attached, process; substitute; by whom."""
    how = {"attach": "attached", "process": "process", "container": "container"}[endpoint.launcher]
    substitute = {"embedded-qdrant": "embedded", "mock-llm": "mock"}.get(endpoint.product)
    started = f"started by {endpoint.started_by}" if endpoint.started_by else ""
    return ", ".join(word for word in (how, substitute, started) if word)
