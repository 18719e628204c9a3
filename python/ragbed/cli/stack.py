"""`ragbed up`, `down`, `status`, `reset`: the stack of this checkout."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from ragbed.cli.env import variables_of
from ragbed.cli.everywhere import down_everywhere, status_everywhere
from ragbed.cli.launcher_option import launcher_option
from ragbed.cli.live import stack_view
from ragbed.cli.output import confirm, note, show_json, show_services, used
from ragbed.cli.project import project_settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ragbed.runs import RunRecorder
    from ragbed.settings import Settings
    from ragbed.stack import Endpoint, Found
    from ragbed.stack.record import StackRecord
    from ragbed.state import ProjectIdentity, StateFolder


@click.command(epilog='Example: ragbed up -d && eval "$(ragbed env)"')
@click.option("-d", "--detach", is_flag=True, help="Return when every service is ready; the stack stays up.")
@click.option(
    "--keep", is_flag=True, help="Keep the data when the stack goes down; the next --keep finds it."
)
@click.option("--json", "as_json", is_flag=True, help="Print the stack as JSON; only with --detach.")
@launcher_option
def up(*, detach: bool, keep: bool, launchers: tuple[str, ...], as_json: bool) -> None:
    """Start the stack and wait until every service answers.

    What already runs is used: a service whose URL is given (DATABASE_URL, REDIS_URL, QDRANT_URL, OLLAMA_HOST), or
    one on its default port that carries ragbed's marker. The rest are private processes on free ports. Where the
    stack is up already, services that died are started again on their data.
    """
    from ragbed.errors import UsageError
    from ragbed.guard import refuse_writes
    from ragbed.runs import recorded_run
    from ragbed.stack import SERVICES
    from ragbed.stack.launcher_setting import launcher_flags
    from ragbed.stack.supervising import stopped_at_the_end
    from ragbed.state import find_state_folder

    if as_json and not detach:
        raise UsageError("--json needs --detach: a stack in the foreground prints until it ends")
    settings = project_settings(launcher_flags(launchers))
    folder = find_state_folder()
    folder.prepared()
    with (
        stack_view(SERVICES) as view,
        recorded_run("up", settings, folder, view) as run,
        stopped_at_the_end(folder),
    ):
        refuse_writes(settings, command="ragbed up")
        record, was_up = _start(settings, folder, run, detach=detach, keep=keep)
    if not (detach or was_up):
        return
    if was_up:
        note("ragbed: the stack was up already")
        if keep and not record.keep:
            note("  note: it was started without --keep; to keep its data: ragbed down --keep")
    if as_json:
        show_json(_describe(record))
        return
    _show(record)
    click.echo("Up. Try: ragbed smoke; stop it by: ragbed down")


def _start(
    settings: Settings, folder: StateFolder, run: RunRecorder, *, detach: bool, keep: bool
) -> tuple[StackRecord, bool]:
    """Start the stack, and stay with it in the foreground; returns its record, and whether it was up already."""
    from ragbed.stack import up as start_stack
    from ragbed.stack.supervising import supervise

    def say(line: str) -> None:
        run.sink.emit("stage.progress", "stack", line=line)

    say("ragbed: starting the stack")
    record, was_up = start_stack(settings, folder, detach=detach, keep=keep, events=run.sink)
    run.uses(record.endpoints.values())
    for line in record.notes:
        say(f"  note: {line}")
    if not (detach or was_up):
        say(f"LLM: {record.llm}")
        say("Up. Try in another terminal: ragbed smoke; Ctrl-C stops the stack.")
        supervise(settings, folder, run.sink)
        say("ragbed: the stack is down")
    return record, was_up


@click.command(epilog="Example: ragbed down --all")
@click.option(
    "--all", "everything", is_flag=True, help="Also end the stacks of runs that are still under way."
)
@click.option("--keep", is_flag=True, help="Keep the data for the next `ragbed up --keep`.")
@click.option(
    "--everywhere",
    is_flag=True,
    help="Stop all stacks of this user, whatever their state folder; asks first.",
)
@click.option("--yes", is_flag=True, help="With --everywhere: do not ask.")
def down(*, everything: bool, keep: bool, everywhere: bool, yes: bool) -> None:
    """Stop the stack of this checkout and delete its data, unless it was kept. Attached services are left alone."""
    from ragbed.errors import UsageError

    if everywhere:
        if keep:
            raise UsageError("--keep is of one stack: run it in its project, without --everywhere")
        down_everywhere(yes=yes)
        return
    if yes:
        raise UsageError("--yes goes with --everywhere: without it, nothing is asked")
    from ragbed.stack import down as stop_stack
    from ragbed.stack.record import load_record
    from ragbed.state import find_state_folder

    folder = find_state_folder()
    record = load_record(folder)
    stopped = stop_stack(folder, everything=everything, keep=keep)
    click.echo(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was up.")
    if stopped and record:
        note(
            "Its data is kept: ragbed up --keep finds it"
            if keep or record.keep
            else "Its data is deleted; --keep would have kept it"
        )
    if record and (stale := variables_of(record)):
        note(f"This shell still has its addresses: unset {' '.join(stale)}")


@click.command(epilog="Example: ragbed reset --yes")
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(*, yes: bool) -> None:
    """Stop the stack and delete its data: databases, caches, collections, gap pages, logs."""
    from ragbed.guard import refuse_writes
    from ragbed.stack import reset as reset_stack
    from ragbed.state import find_state_folder

    refuse_writes(project_settings(), command="ragbed reset")
    folder = find_state_folder()
    if not yes and folder.exists():
        kept = ", the kept data too" if folder.kept.exists() else ""
        confirm(f"Stop the stack and delete its data in {folder.root}{kept}?", command="ragbed reset --yes")
    stopped = reset_stack(folder)
    click.echo(f"Stopped {', '.join(stopped) or 'nothing'}; the data is gone.")


@click.command(epilog="Example: ragbed status --json | jq '.services[].url'")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.option("--everywhere", is_flag=True, help="List all stacks of this user, whatever their state folder.")
def status(*, as_json: bool, everywhere: bool) -> None:
    """Show what runs, what was used, and whether it answers.

    A service that differs from the pins is drift: exit code 11, as of the smoke test and the doctor.
    Where no stack of ragbed's is up, it shows the services that others started and that ragbed would use: those
    whose URL is given, those of `devenv up`, and those on their default ports.
    """
    from ragbed.errors import ExitCode
    from ragbed.pins import load_stack_pins
    from ragbed.stack import find_services, running_record
    from ragbed.stack.health import check_health
    from ragbed.stack.judging import require_allowed
    from ragbed.stack.parity import drifting
    from ragbed.state import find_state_folder

    if everywhere:
        status_everywhere(as_json=as_json)
        return
    settings = project_settings()
    folder = find_state_folder()
    record = running_record(folder) if folder.root.exists() else None
    project = folder.identity()
    if record is None:
        services = find_services(settings, folder)
        _show_found(services, project, as_json=as_json)
        if services.missing:
            raise SystemExit(ExitCode.SERVICE_MISSING)
        return
    require_allowed(record, settings, folder)
    health = check_health(record, folder, settings)
    differing = drifting(record.endpoints, load_stack_pins())
    if as_json:
        show_json({**_describe(record, health, differing), **_project(project)})
    else:
        _show(record, health)
        _show_project(project)
    for line in differing.values():
        note(f"Drift: {line}. Try: ragbed down && ragbed up -d")
    if any(state != "ready" for state in health.values()):
        note(
            "Some services do not answer. Try: ragbed up -d, which starts dead ones again; ragbed logs SERVICE"
        )
        raise SystemExit(ExitCode.SERVICE_MISSING)
    if differing:
        raise SystemExit(ExitCode.DRIFT)


def _describe(
    record: StackRecord, health: Mapping[str, str] | None = None, drift: Mapping[str, str] | None = None
) -> dict[str, object]:
    """Return the stack as JSON values, passwords hidden."""
    return {
        "up": True,
        "stack": record.stack,
        "detached": record.owner is None,
        "keep": record.keep,
        "services": _services(record.endpoints, health, drift),
        "notes": list(record.notes),
        "llm": record.llm,
    }


def _services(
    endpoints: Mapping[str, Endpoint],
    health: Mapping[str, str] | None = None,
    drift: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:
    services = []
    for name, endpoint in endpoints.items():
        state = {"state": health[name]} if health else {}
        differs = {} if drift is None else {"drift": drift.get(name)}
        services.append({"name": name, **endpoint.to_shown_json(), **state, **differs})
    return services


def _project(project: ProjectIdentity | None) -> dict[str, object]:
    """Return the project's identity as JSON values; None before the first `ragbed up` has made one."""
    return {"project": project.to_json() if project else None}


def _show_project(project: ProjectIdentity | None) -> None:
    if project:
        click.echo(f"Project: {project.name}, identity {project.id}")


def _show_found(running: Found, project: ProjectIdentity | None, *, as_json: bool) -> None:
    """Show services that run without a stack of ours."""
    ready = dict.fromkeys(running.endpoints, "ready")
    if as_json:
        whole = {"stack": None, "missing": list(running.missing)} if running.endpoints else {}
        notes = {"notes": list(running.notes)} if running.notes or running.endpoints else {}
        services = {"services": _services(running.endpoints, ready)}
        show_json({"up": not running.missing, **_project(project), **whole, **services, **notes})
        return
    if running.endpoints:
        _show_services(running.endpoints, ready)
        click.echo("No stack of ragbed's is up: this is what it would use.")
    for line in running.notes:
        click.echo(f"note: {line}")
    if not running.endpoints:
        click.echo(_nothing_is_up(running))
    elif running.missing:
        click.echo(f"No {' and no '.join(running.missing)}. `ragbed up -d` starts what is missing.")
    _show_project(project)


def _nothing_is_up(services: Found) -> str:
    """Return what to type: `ragbed up` refuses to replace what a variable names."""
    from ragbed.stack import SERVICES
    from ragbed.stack.registry import kind_of

    names = [kind_of(service).variable for service in SERVICES]
    given = [name for name in names if os.environ.get(name)] if services.notes else []
    if not given:
        return "Nothing is up. Try: ragbed up -d"
    return f"Nothing is up. Try: unset {' '.join(given)}; ragbed up -d (or start what they name)"


def _show(record: StackRecord, health: Mapping[str, str] | None = None) -> None:
    _show_services(record.endpoints, health)
    click.echo(f"LLM: {record.llm}")


def _show_services(endpoints: Mapping[str, Endpoint], health: Mapping[str, str] | None) -> None:
    from ragbed.guard import redacted

    rows = [
        (
            name,
            *([health[name]] if health else []),
            f"{endpoint.product} {endpoint.version}",
            str(endpoint.pid or endpoint.provenance.container or "-"),
            used(endpoint),
            redacted(endpoint.url),
            endpoint.origin,
        )
        for name, endpoint in endpoints.items()
    ]
    columns = ["service", *(["state"] if health else []), "version", "pid", "used", "url", "from"]
    blocks = {name: list(zip(columns[1:], cells, strict=True)) for name, *cells in rows}
    show_services(columns, rows, blocks)
