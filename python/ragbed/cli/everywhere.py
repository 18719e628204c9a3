"""`ragbed status --everywhere` and `ragbed down --everywhere`: all stacks of this user."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from ragbed.cli.output import show_json, show_table

if TYPE_CHECKING:
    from ragbed.stack.everywhere import RunningStack


def status_everywhere(*, as_json: bool) -> None:
    """Show this user's stacks, told by the environment of their processes."""
    from ragbed.stack.everywhere import find_stacks

    stacks = find_stacks()
    if as_json:
        show_json({"stacks": [running.to_json() for running in stacks]})
        return
    _show(stacks)


def down_everywhere(*, yes: bool) -> None:
    """Stop this user's stacks, after asking.

    Raises:
        UsageError: There is no terminal to ask on, and no `--yes`.
    """
    from ragbed.errors import UsageError
    from ragbed.stack.everywhere import find_stacks, stop_everywhere

    stacks = find_stacks()
    _show(stacks)
    if not stacks:
        return
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError("there is no terminal to ask on", hint="ragbed down --everywhere --yes")
        click.confirm(f"Stop {'it' if len(stacks) == 1 else f'all {len(stacks)}'}?", abort=True)
    stopped = stop_everywhere(stacks)
    click.echo(f"Stopped: {', '.join(stopped)}.")


def _show(stacks: list[RunningStack]) -> None:
    if not stacks:
        click.echo("No stack of this user runs.")
        return
    rows = [
        (
            running.stack or "?",
            f"{running.project.name} ({running.project.id})" if running.project else "-",
            ", ".join(f"{name} {one.container or one.pid}" for name, one in running.services.items()),
            _where(running),
        )
        for running in stacks
    ]
    show_table(["stack", "project", "services and pids", "state folder"], rows)


def _where(running: RunningStack) -> str:
    """Return the state folder as it can be shown, and whether it still answers for the stack."""
    if running.folder is None:
        return "not said (an older ragbed)"
    shown = "".join(sign if sign.isprintable() else "?" for sign in str(running.folder.root))
    if running.holds_it:
        return shown
    return f"{shown} ({'does not have it' if running.folder.root.is_dir() else 'gone'})"
