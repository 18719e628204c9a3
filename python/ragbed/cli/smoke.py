"""`ragbed smoke`: prove the pipeline on live services."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ragbed.cli.events import EventLines
from ragbed.cli.launcher_option import launcher_option
from ragbed.cli.output import note, show_json
from ragbed.cli.smoke_report import failure_lines, show_report
from ragbed.project import shown_path
from ragbed.smoke.stages import STAGE_NAMES

if TYPE_CHECKING:
    from ragbed.smoke.report import SmokeReport

_FOLDER = click.Path(path_type=Path, file_okay=False)
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command(epilog="Example: ragbed smoke --corpus docs/ --junit smoke.xml")
@click.option("--corpus", type=_FOLDER, help="Folder of Markdown and text; default: ragbed's own lessons.")
@click.option("--questions", type=_FILE, help="Golden questions, JSON Lines: id, question, relevant.")
@click.option("--stage", "last_stage", type=click.Choice(STAGE_NAMES), help="Run up to this stage.")
@click.option("--require-live", is_flag=True, help="Fail where a substitute would be used.")
@click.option("--keep", is_flag=True, help="Leave the stack and the data for a look; ragbed down ends it.")
@launcher_option
@click.option("--reuse", is_flag=True, help="Leave containers to later runs; ragbed down --all ends them.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON and nothing else on stdout.")
@click.option("--junit", type=_FILE, help="Also write the report as JUnit XML.")
def smoke(
    *,
    corpus: Path | None,
    questions: Path | None,
    last_stage: str | None,
    require_live: bool,
    keep: bool,
    launchers: tuple[str, ...],
    reuse: bool,
    as_json: bool,
    junit: Path | None,
) -> None:
    """Prove that the RAG pipeline works end to end on live services.

    Uses the stack of `ragbed up` where it runs, else starts one for the run. Ends with 0 when every stage passed, 1
    when a check failed, 10 when a service is missing, 11 on drift from the pins, 13 when a guard refused.
    """
    from ragbed.cli.project import project_settings
    from ragbed.errors import ExitCode
    from ragbed.runs import recorded_run
    from ragbed.stack.launcher_setting import launcher_flags
    from ragbed.state import find_state_folder

    settings, folder = (
        project_settings(launcher_flags(launchers) | {"stack.reuse": reuse or None}),
        find_state_folder(),
    )
    with recorded_run("smoke", settings, folder, EventLines(indent=" " * 11)) as run:
        from ragbed.smoke.plan import SmokeOptions
        from ragbed.smoke.runner import run_smoke

        options = SmokeOptions(
            corpus=corpus, questions=questions, require_live=require_live, keep=keep, last_stage=last_stage
        )
        report = run_smoke(settings, folder, options, run)
    if as_json:
        show_json(report.to_json())
    else:
        show_report(report)
    for line in failure_lines(report):
        note(line)
    if not report.ok and report.exit_code != ExitCode.USAGE and run.folder:
        note(f"reproduce: ragbed repro {shown_path(run.folder)}")
    if keep:
        note(_what_is_left(report))
    # Afterwards: a file that cannot be written hides nothing of the run.
    unwritten = _write_junit(report, junit) if junit else 0
    raise SystemExit(report.exit_code or unwritten)


def _what_is_left(report: SmokeReport) -> str:
    if report.left_up:
        return "The stack is up for a look: ragbed status; stop it by: ragbed down"
    if not report.services:
        return "Nothing is left for a look: the stack did not come up"
    return "What this run started has ended all the same, since another stack is up: ragbed status"


def _write_junit(report: SmokeReport, path: Path) -> int:
    """Write the report as JUnit XML; returns the exit code of what stood in the way, else 0."""
    from ragbed.errors import UsageError
    from ragbed.smoke.junit import write_junit

    try:
        write_junit(report, path)
    except UsageError as error:
        note(f"ragbed: {error.render()}")
        return error.exit_code
    return 0
