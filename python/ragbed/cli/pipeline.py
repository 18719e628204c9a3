"""`ragbed ingest`, `ask`, `gaps`: the reference pipeline on the stack that is up."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ragbed.cli.events import EventLines
from ragbed.cli.output import show_json, show_table
from ragbed.cli.project import project_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ragbed.pipeline import IngestReport, Pipeline
    from ragbed.pipeline.config import PipelineConfig
    from ragbed.pipeline.sources import OtherFolder
    from ragbed.runs import Outcome
    from ragbed.settings import Settings
    from ragbed.stack import Stack

_NAMESPACE = click.option(
    "--namespace", default="default", show_default=True, help="Which collection of documents; a-z, 0-9 and _."
)


@contextmanager
def running_config(
    command: str, namespace: str, settings: Settings | None = None
) -> Iterator[tuple[PipelineConfig, Stack]]:
    """Yield a pipeline's configuration on what runs already, and that stack; production is refused first.

    Args:
        command: What was typed, for messages.
        namespace: Which collection of documents.
        settings: The project's, resolved; None resolves them here.
    """
    from ragbed.guard import refuse_writes
    from ragbed.pipeline.on_stack import pipeline_config
    from ragbed.stack import running_stack
    from ragbed.stack.disk_errors import full_disk_told
    from ragbed.state import find_state_folder

    settings = settings or project_settings()
    refuse_writes(settings, command=command)
    folder = find_state_folder()
    with (
        running_stack(settings, folder=folder, caller="command", may_start=False) as stack,
        full_disk_told(stack, folder),
    ):
        yield pipeline_config(stack, settings, folder=folder, namespace=namespace), stack


@contextmanager
def _pipeline(command: str, namespace: str) -> Iterator[tuple[Pipeline, list[str]]]:
    """Yield the pipeline on what runs already, and the substitutes among it."""
    from ragbed.events import EventStream
    from ragbed.pipeline import open_pipeline

    with (
        running_config(command, namespace) as (config, stack),
        open_pipeline(config, events=EventStream(EventLines())) as pipeline,
    ):
        yield pipeline, _substitutes(stack)


def _substitutes(stack: Stack) -> list[str]:
    return [endpoint.product for endpoint in stack.endpoints.values() if not endpoint.real]


@click.command(epilog="Example: ragbed up -d && ragbed ingest docs/")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--add", is_flag=True, help="Keep the documents of the namespace's other folders beside these.")
@click.option("--replace", is_flag=True, help="Take the documents of the namespace's other folders out.")
@click.option("--allow-empty", is_flag=True, help="Empty the index where the folder holds no document.")
@_NAMESPACE
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def ingest(
    *, folder: Path, add: bool, replace: bool, allow_empty: bool, namespace: str, as_json: bool
) -> None:
    """Read a folder of Markdown, MDX, HTML and text into the stack that is up.

    Only what changed since the last time is embedded. Files that cannot be read are listed with the reason; the rest
    is ingested all the same, and the command ends with 1. What is gone from the folder goes from the index; a folder
    without any document ends with 2, unless --allow-empty says that it is meant.

    A namespace remembers its folder: another one is refused with 2, unless --add or --replace says what to do with
    the documents that are there.
    """
    from ragbed.errors import ExitCode, UsageError
    from ragbed.pipeline import open_pipeline
    from ragbed.runs import recorded_run
    from ragbed.stack.judging import refuse_foreign_stack
    from ragbed.state import find_state_folder

    if add and replace:
        raise UsageError("--add and --replace exclude each other", hint="give one of them")
    other: OtherFolder = "add" if add else "replace" if replace else "refuse"
    settings, state = project_settings(), find_state_folder()
    refuse_foreign_stack(state)  # recording makes the folder ours, and sets a foreign stack aside
    with (
        recorded_run("ingest", settings, state, EventLines()) as run,
        running_config("ragbed ingest", namespace, settings) as (config, stack),
    ):
        run.uses(stack.endpoints.values())
        with open_pipeline(config, events=run.sink) as pipeline:
            report = pipeline.ingest(folder, allow_empty=allow_empty, other_folder=other, events=run.sink)
        run.attach_text("report.json", json.dumps(report.to_json(), indent=1), "internal")
        run.outcome(_outcome(report))
    substitutes = _substitutes(stack)
    if as_json:
        show_json({**report.to_json(), "substitutes": substitutes})
    else:
        _show_report(report)
        _name_substitutes(substitutes)
    raise SystemExit(ExitCode.CHECK_FAILED if report.unreadable else ExitCode.FINE)


def _outcome(report: IngestReport) -> Outcome:
    from ragbed.runs import Outcome

    return Outcome(
        subject="ingest",
        status="failed" if report.unreadable else "passed",
        seconds=report.seconds,
        facts={
            "documents": report.documents,
            "chunks": report.chunks,
            "embedded": report.embedded,
            "unreadable": len(report.unreadable),
        },
    )


def _name_substitutes(substitutes: list[str]) -> None:
    if substitutes:
        click.echo(f"not the real thing: {', '.join(substitutes)}")


def _show_report(report: IngestReport) -> None:
    from ragbed.pipeline.corpus import listed

    click.echo(
        f"{report.documents} documents, {report.chunks} chunks in the index:"
        f" {report.unchanged} unchanged, {report.changed} new or changed, {report.removed} removed;"
        f" {report.embedded} chunks embedded, {report.cached} from the cache; {report.seconds:.2f} s"
    )
    if report.rebuilt:
        click.echo(f"The index was built anew: {report.rebuilt}")
    for warning in report.warnings:
        click.echo(f"warning: {warning}")
    if report.ignored:
        click.echo(f"left out, not a document by its suffix: {listed(report.ignored_by_suffix)}")
    for path in report.empty:
        click.echo(f"empty: {path}")
    for one in report.unreadable:
        click.echo(f"unreadable: {one.path}: {one.reason}")


@click.command(
    epilog='Example: ragbed ask "Why does Postgres refuse to start as root?" --filter platform=postgres'
)
@click.argument("question")
@click.option(
    "--filter", "filters", multiple=True, metavar="FIELD=VALUE", help="Only documents with this value."
)
@_NAMESPACE
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
def ask(*, question: str, filters: tuple[str, ...], namespace: str, as_json: bool) -> None:
    """Ask a question of the ingested documents; shows the answer, its sources, and a gap if there is one.

    On a terminal, the answer appears as the model writes it.
    """
    from ragbed.cli.answer import AnswerText, show_sources

    chosen, text = _parse_filters(filters), AnswerText(as_json=as_json)
    with _pipeline("ragbed ask", namespace) as (pipeline, substitutes):
        answer = pipeline.ask(question, filters=chosen, on_text=text.on_text)
    if as_json:
        show_json({**answer.to_json(), "substitutes": substitutes})
    else:
        text.end(answer)
        show_sources(answer, mocked="mock-llm" in substitutes)
        _name_substitutes(substitutes)


def _parse_filters(filters: tuple[str, ...]) -> dict[str, list[str]]:
    from ragbed.errors import UsageError

    chosen: dict[str, list[str]] = {}
    for one in filters:
        field, equals, value = one.partition("=")
        if not (field and equals and value):
            raise UsageError(f"--filter {one!r} is not FIELD=VALUE", hint="--filter platform=postgres")
        chosen.setdefault(field, []).append(value)
    return chosen


@click.command(epilog="Example: ragbed gaps --json | jq '.[].queries'")
@_NAMESPACE
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def gaps(*, namespace: str, as_json: bool) -> None:
    """List what was asked and is not covered by the documents, the newest first."""
    from ragbed.state import find_state_folder

    with _pipeline("ragbed gaps", namespace) as (pipeline, _):
        saved = pipeline.gaps()
    if as_json:
        show_json([gap.to_json() for gap in saved])
        return
    if not saved:
        click.echo('No gaps. They are found by asking: ragbed ask "…"')
        return
    show_table(
        ["kind", "subject", "question", "asked", "first search"],
        [(gap.kind, gap.subject, gap.question, str(gap.times_asked), gap.queries[0]) for gap in saved],
        right=["asked"],
    )
    click.echo(f"Review pages: {find_state_folder().gaps / namespace}")
