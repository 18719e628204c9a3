"""`ragbed repro`: make a run that failed again, and say whether it fails the same way."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ragbed.repro.failures import Failure, Verdict

SCHEMA = "ragbed.repro/1"


@click.command(epilog="Example: ragbed repro last")
@click.argument("run")
@click.option(
    "--all", "everything", is_flag=True, help="Run every test of the session, not just what failed."
)
@click.option("--until-fails", type=click.IntRange(1, 1000), default=1, help="Try so many times at most.")
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
def repro(*, run: str, everything: bool, until_fails: int, as_json: bool) -> None:
    """Make the run RUN again: a bundle, a run's folder, an id, the beginning of one, or `last`.

    The same command runs in this folder, with the tier, variables, time zone, locale and hash seed of the record. Of a
    test session just the tests that failed run, each in its worker and order; with --all every test does. What differs
    between there and here is shown first.

    It ends with 0 where the failure is the same, with 20 where there was none, with 21 where it was another one.
    """
    import tempfile
    from pathlib import Path

    from ragbed.cli.output import note
    from ragbed.cli.project import project_settings
    from ragbed.errors import UsageError
    from ragbed.guard import refuse_writes
    from ragbed.repro.drift import differences
    from ragbed.repro.failures import compare, failures_of
    from ragbed.repro.place import opened_run
    from ragbed.repro.rerun import again
    from ragbed.runs.manifest import manifest_of
    from ragbed.state import find_state_folder

    settings, state = project_settings(), find_state_folder()
    refuse_writes(settings, command="ragbed repro")
    with opened_run(run, state) as record, tempfile.TemporaryDirectory(prefix="ragbed-sequence-") as folder:
        recorded = failures_of(record)
        if not recorded:
            raise UsageError(
                f"run {record.id} did not fail: it {record.status}", hint="ragbed runs list shows which did"
            )
        there = differences(record, manifest_of("pytest", settings))
        only = None if everything or record.manifest["kind"] != "pytest" else recorded
        rerun = again(record, Path(folder), only)
        for line in there:
            note(f"differs: {line}")
        for line in rerun.unknown:
            note(f"not known: {line}")
        verdict: Verdict = "not reproduced"
        failed: Mapping[str, Failure] = {}
        for _ in range(until_fails):
            new = rerun.run(state, sys.stderr if as_json else sys.stdout)
            failed = failures_of(new) if new else {}
            verdict = compare(recorded, failed)
            if verdict != "not reproduced":
                break
    _show(
        verdict,
        recorded,
        failed,
        as_json=as_json,
        new=new.id if new else "",
        there=there,
        everything=everything,
    )


def _show(
    verdict: Verdict,
    recorded: Mapping[str, Failure],
    failed: Mapping[str, Failure],
    *,
    as_json: bool,
    new: str,
    there: list[str],
    everything: bool,
) -> None:
    from ragbed.cli.output import show_json
    from ragbed.errors import ExitCode
    from ragbed.escaping import terminal_line

    codes = {
        "reproduced": ExitCode.FINE,
        "not reproduced": ExitCode.NOT_REPRODUCED,
        "a different failure": ExitCode.DIFFERENT_FAILURE,
    }
    if as_json:
        pairs: list[dict[str, Any]] = [
            {
                "subject": name,
                "recorded": one.message,
                "again": failed[name].message if name in failed else None,
            }
            for name, one in recorded.items()
        ]
        show_json({"schema": SCHEMA, "verdict": verdict, "run": new, "differences": there, "failures": pairs})
    else:
        click.echo(verdict)
        for name, one in recorded.items():
            click.echo(terminal_line(f"  {name}"))
            click.echo(terminal_line(f"    then: {one.message}"))
            click.echo(terminal_line(f"    now:  {failed[name].message if name in failed else 'passed'}"))
        if verdict == "not reproduced" and not everything:
            click.echo("try: --all, where it needs the tests before it; --until-fails 50, where it is rare")
    sys.exit(codes[verdict])
