"""`ragbed runs`: what runs were made, and how each ended."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ragbed.events import Event
    from ragbed.runs import RunRecord
    from ragbed.smoke.report import SmokeReport


@click.group(epilog="Example: ragbed runs show last")
def runs() -> None:
    """List past runs of this checkout, and show what each was and how it ended.

    Smoke runs, stacks, ingests and test sessions leave a manifest, their events and an outcome in .ragbed/runs/ as they
    happen. A run without an outcome is running while the process that writes it lives, and else was killed.
    """


@runs.command("list", epilog="Example: ragbed runs list --json", short_help="List runs, the newest first.")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def list_(*, as_json: bool) -> None:
    """List the runs of this checkout, the newest first."""
    from ragbed.cli.output import show_json, show_table
    from ragbed.runs import list_runs
    from ragbed.state import find_state_folder

    records = list_runs(find_state_folder())
    if as_json:
        show_json({"schema": "ragbed.runs/1", "runs": [_summary(record) for record in records]})
        return
    if not records:
        click.echo("No runs yet. Try: ragbed smoke")
        return
    rows = [
        (record.id, record.status, _seconds(record), " ".join(record.manifest.get("command", [])))
        for record in records
    ]
    show_table(["run", "status", "time", "command"], rows, right=["time"])


@runs.command(epilog="Example: ragbed runs show last", short_help="Show one run.")
@click.argument("run", default="last")
@click.option("--json", "as_json", is_flag=True, help="Print manifest, events and outcome as JSON.")
def show(*, run: str, as_json: bool) -> None:
    """Show the run with the id RUN, or with the only id that begins so; without RUN, the newest.

    A smoke run is shown as its command showed it; of other runs, and of one that was killed, the events are shown.
    """
    from ragbed.cli.output import show_json
    from ragbed.runs import find_run
    from ragbed.state import find_state_folder

    record = find_run(find_state_folder(), run)
    events, skipped = record.events()
    report = _report(record, events)
    if as_json:
        show_json(
            {
                "schema": "ragbed.run/1",
                "id": record.id,
                "status": record.status,
                "folder": str(record.folder),
                "manifest": dict(record.manifest),
                "outcome": dict(record.outcome) if record.outcome else None,
                "events": [event.to_json() for event in events],
                "skipped_lines": skipped,
                "artifacts": [path.name for path in record.artifacts],
                "report": report.to_json() if report else None,
            }
        )
        return
    for line in _head(record):
        click.echo(line)
    if report:
        _show_report(report)
    for line in (*(() if report else _event_lines(events)), *_end(record, skipped, told=report is not None)):
        click.echo(line)


@runs.command(epilog="Example: ragbed runs bundle last", short_help="Pack one run into a file.")
@click.argument("run", default="last")
@click.option(
    "--into", type=click.Path(path_type=Path), help="The file to write; RUN.tar.gz in this folder by default."
)
@click.option("--json", "as_json", is_flag=True, help="Print what was packed as JSON.")
def bundle(*, run: str, into: Path | None, as_json: bool) -> None:
    """Pack the run RUN into one file, for `ragbed repro` elsewhere.

    It holds manifest, events, outcome, the order of tests and artifacts. Files of personal data, and what passes 20 MB,
    stay out and are named. Secrets never were in a run's files.
    """
    from ragbed.cli.output import show_json
    from ragbed.repro.bundle import write_bundle
    from ragbed.runs import find_run
    from ragbed.state import find_state_folder

    record = find_run(find_state_folder(), run)
    packed = write_bundle(record, into or Path(f"{record.id}.tar.gz"))
    size = packed.path.stat().st_size
    if as_json:
        value = {
            "path": str(packed.path),
            "size_bytes": size,
            "files": packed.files,
            "left_out": packed.left_out,
        }
        show_json({"schema": "ragbed.bundle/1", **value})
        return
    click.echo(f"{packed.path}: {len(packed.files)} files, {size / 1024:,.0f} kB")
    for line in packed.left_out:
        click.echo(f"  left out {line}")


def _report(record: RunRecord, events: Sequence[Event]) -> SmokeReport | None:
    """Return the report that `ragbed smoke` printed; None of other runs, and of one that was killed."""
    if record.manifest.get("kind") != "smoke":
        return None
    from ragbed.smoke.report import SmokeReport, has_report

    if record.outcome is None or not has_report(record.outcome):
        return None
    try:
        return SmokeReport.of(record.manifest, events, record.outcome)
    except (
        KeyError,
        TypeError,
        ValueError,
    ):  # written by another version, or changed: the events tell what they can
        return None


def _show_report(report: SmokeReport) -> None:
    from ragbed.cli.smoke_report import failure_lines, show_report

    show_report(report)
    for line in failure_lines(report):
        click.echo(line)


def _summary(record: RunRecord) -> dict[str, Any]:
    manifest = record.manifest
    return {
        "id": record.id,
        "status": record.status,
        "kind": manifest.get("kind"),
        "command": manifest.get("command", []),
        "started_at": manifest.get("started_at"),
        "seconds": record.outcome["seconds"] if record.outcome else None,
        "tier": manifest.get("tier"),
        "folder": str(record.folder),
    }


def _seconds(record: RunRecord) -> str:
    return f"{record.outcome['seconds']:.2f} s" if record.outcome else ""


def _head(record: RunRecord) -> Iterator[str]:
    from ragbed.escaping import terminal_line

    manifest = record.manifest
    yield f"run {record.id}: {record.status}"
    if not manifest:
        yield "its manifest cannot be read"
        return
    git, machine = manifest["git"], manifest["machine"]
    dirty = {True: ", with changes", False: "", None: ", changes unknown"}[git["dirty"]]
    yield terminal_line(f"command: {' '.join(manifest['command'])}")
    yield f"started: {manifest['started_at']}, tier {manifest['tier']}, ragbed {manifest['ragbed']}"
    yield terminal_line(f"source: {git['commit'] or 'no commit'} {git['branch']}{dirty}")
    yield f"machine: {machine['system']} {machine['architecture']}, {machine['cpus']} CPUs, Python {machine['python']}"
    for endpoint in manifest["endpoints"]:
        yield terminal_line(
            f"  {endpoint['service']}: {endpoint['product']} {endpoint['version']} {endpoint['url']}"
        )


def _event_lines(events: Iterable[Event]) -> Iterator[str]:
    from ragbed.escaping import terminal_line

    for event in events:
        time = f" {event.seconds:.2f} s" if event.seconds is not None else ""
        facts = " ".join(f"{key}={value}" for key, value in event.data.items() if _is_short(value))
        yield terminal_line(f"{event.at:%H:%M:%S} {event.kind:<15} {event.subject}{time} {facts}".rstrip())


def _is_short(value: object) -> bool:
    """Tell whether a fact is shown in the line of its event; `--json` has all."""
    return isinstance(value, str | int | float) and value not in {"", False}


def _end(record: RunRecord, skipped: int, *, told: bool) -> Iterator[str]:
    from ragbed.errors import RagbedError
    from ragbed.escaping import terminal_line

    if skipped:
        yield f"note: {skipped} lines of the event file could not be read; a kill may tear the last one"
    if record.outcome and record.outcome["failure"] and not told:
        yield RagbedError.from_json(record.outcome["failure"]).render()
    if record.outcome and not told:
        yield f"{record.status} in {record.outcome['seconds']:.2f} s"
    kept = ", ".join(f"{name} ({said})" for name, said in record.manifest.get("artifacts", {}).items())
    if kept:
        yield terminal_line(f"artifacts: {kept}")
    yield f"files: {record.folder}"
