"""`ragbed parity`: the same suites on every launcher, and what differs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ragbed.cli.events import EventLines
from ragbed.cli.output import note, show_json, show_table, used
from ragbed.parity import LAUNCHERS, SUITE_NAMES

if TYPE_CHECKING:
    from ragbed.parity.records import Cell, ParityReport

_SHOWN = 120


@click.command(epilog="Example: QDRANT_URL=http://127.0.0.1:6333 ragbed parity --html parity.html")
@click.option(
    "--launcher",
    "launchers",
    multiple=True,
    type=click.Choice(LAUNCHERS),
    help="Only this; repeatable.",
)
@click.option(
    "--suite", "suites", multiple=True, type=click.Choice(SUITE_NAMES), help="Only this; repeatable."
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON and nothing else on stdout.")
@click.option(
    "--html", type=click.Path(path_type=Path, dir_okay=False), help="Also write the matrix as a web page."
)
def parity(*, launchers: tuple[str, ...], suites: tuple[str, ...], as_json: bool, html: Path | None) -> None:
    """Show where the services of one launcher behave otherwise than those of another.

    Runs the contract suites, the golden questions and the smoke run on private processes, and on the services that
    DATABASE_URL, REDIS_URL, QDRANT_URL and OLLAMA_HOST name. Ends with 0 when every difference is known, else with 1.
    """
    from ragbed.cli.project import project_settings
    from ragbed.events import EventStream
    from ragbed.guard import refuse_writes
    from ragbed.parity.page import web_page
    from ragbed.parity.runner import run_parity
    from ragbed.state import find_state_folder

    settings = project_settings()
    refuse_writes(settings, command="ragbed parity")
    events = EventStream(EventLines())
    report = run_parity(settings, find_state_folder(), launchers=launchers, suites=suites, events=events)
    if as_json:
        show_json(report.to_json())
    else:
        _show(report)
    if html:
        _write(html, web_page(report))
    raise SystemExit(int(not report.ok))


def _show(report: ParityReport) -> None:
    for column in report.columns:
        if column.absent:
            note(f"{column.launcher}: not compared: {column.absent}")
    services = [
        (column.launcher, name, used(endpoint), f"{endpoint.product} {endpoint.version}", endpoint.origin)
        for column in report.columns
        for name, endpoint in column.services.items()
    ]
    show_table(["launcher", "service", "used", "version", "from"], services)
    names = [column.launcher for column in report.columns if not column.absent]
    rows = [(row.suite, row.case, *(_cell(row.cells[name]) for name in names)) for row in report.rows]
    if rows:
        show_table(["suite", "case", *names], rows)
    cases = ", ".join(f"{name} {count}" for name, count in report.cases.items())
    unknown = len(report.unknown)
    click.echo(f"cases: {cases}; {len(report.left_out)} left out")
    click.echo(f"{len(report.rows) - unknown} known differences, {unknown} unknown")


def _cell(cell: Cell) -> str:
    if cell.status in ("same", "not_run"):
        return cell.status.replace("_", " ")
    said = cell.reason or json.dumps(cell.facts, ensure_ascii=False, default=str)[:_SHOWN]
    return f"{cell.status}, {cell.weight}: {said}"


def _write(path: Path, text: str) -> None:
    from ragbed.errors import UsageError

    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"cannot write {path}: {error.strerror}", hint="name a file in a folder that is there"
        ) from error
