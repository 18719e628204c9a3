"""Every stack of this user, wherever its state folder is or was: told by what runs of it, by whatever launcher."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragbed.errors import RagbedError
from ragbed.stack.endpoint import SERVICES
from ragbed.stack.launcher_choice import every_launcher
from ragbed.stack.leases import Leases
from ragbed.stack.lifecycle import down
from ragbed.stack.registry import is_known
from ragbed.stack.stack_id import is_stack_id
from ragbed.state import StateFolder

if TYPE_CHECKING:
    from ragbed.stack.launchers import Running
    from ragbed.state import ProjectIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningStack:
    """A stack that runs somewhere on this machine.

    Attributes:
        stack: Its id; empty where its processes do not say.
        folder: The state folder that its processes name; None where they name none.
        holds_it: Whether that folder is there, was made here and has the leases of all its processes.
        project: Whose it is; None where the folder has gone or is not believed.
        processes: What runs, by the lease's token.
    """

    stack: str
    folder: StateFolder | None
    holds_it: bool = False
    project: ProjectIdentity | None = None
    processes: dict[str, list[Running]] = field(default_factory=dict)

    @property
    def services(self) -> dict[str, Running]:
        """What was started first, by service, in the order of reports."""
        first = {_service(ones[0]): ones[0] for ones in self.processes.values()}
        return {name: first[name] for name in (*SERVICES, "?") if name in first}

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return {
            "stack": self.stack or None,
            "state_dir": str(self.folder.root) if self.folder else None,
            "state_dir_holds_it": self.holds_it,
            "project": self.project.to_json() if self.project else None,
            "services": [
                {"name": name, "pid": one.pid, **({"container": one.container} if one.container else {})}
                for name, one in self.services.items()
            ],
        }


def find_stacks() -> list[RunningStack]:
    """Return this user's stacks, by state folder; those that no state folder answers for come too."""
    grouped: dict[tuple[str, str], RunningStack] = {}
    for one in (one for launcher in every_launcher() for one in launcher.running()):
        folder = StateFolder(Path(one.state)) if Path(one.state).is_absolute() else None
        known = RunningStack(stack=one.stack if is_stack_id(one.stack) else "", folder=folder)
        stack = grouped.setdefault((one.state, one.stack), known)
        stack.processes.setdefault(one.token, []).append(one)
    return [_with_its_folder(stack) for _, stack in sorted(grouped.items())]


def stop_everywhere(stacks: list[RunningStack]) -> list[str]:
    """Stop stacks: through their state folder where it holds them, else one by one.

    Args:
        stacks: Those of `find_stacks`.

    Returns:
        The services that were stopped, of all stacks.
    """
    stopped: list[str] = []
    for stack in stacks:
        if stack.folder and stack.holds_it:
            with suppress(RagbedError, OSError):  # then one by one
                down(stack.folder, everything=True)
        for ones in stack.processes.values():
            for one in ones:
                one.end(True)
        if not stack.holds_it:
            _forget_data(stack)
        stopped += stack.services
    return stopped


def _service(running: Running) -> str:
    return running.service if is_known(running.service) else "?"


def _with_its_folder(stack: RunningStack) -> RunningStack:
    folder = stack.folder
    try:
        project = folder.identity() if folder else None
        tokens = {lease.token for lease in Leases(folder).all()} if folder and project else set()
    except OSError:
        project, tokens = None, set()
    held = project is not None and stack.processes.keys() <= tokens
    return replace(stack, holds_it=held, project=project)


def _forget_data(stack: RunningStack) -> None:
    """Remove what lies outside the state folder of a stack's data; data that was to be kept stays."""
    if stack.folder is None or not stack.stack:
        return
    for service in stack.services:
        for launcher in every_launcher():
            launcher.forget_data(stack.folder.data / stack.stack / service)
