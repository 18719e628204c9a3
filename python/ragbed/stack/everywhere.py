"""Every stack of this user, wherever its state folder is or was: told by the environment of its processes."""

from __future__ import annotations

import signal
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragbed.errors import RagbedError
from ragbed.stack.endpoint import SERVICES
from ragbed.stack.leases import Leases
from ragbed.stack.lifecycle import down
from ragbed.stack.ownership import (
    SERVICE_VARIABLE,
    STACK_VARIABLE,
    STATE_VARIABLE,
    TOKEN_VARIABLE,
    marked_processes,
)
from ragbed.stack.processes import stop
from ragbed.stack.registry import is_known, kind_of
from ragbed.stack.services.unprivileged import outside_folder, remove_outside
from ragbed.stack.stack_id import is_stack_id
from ragbed.state import StateFolder

if TYPE_CHECKING:
    from ragbed.stack.processes import ProcessIdentity
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
        services: Which service each token is of.
    """

    stack: str
    folder: StateFolder | None
    holds_it: bool = False
    project: ProjectIdentity | None = None
    processes: dict[str, list[ProcessIdentity]] = field(default_factory=dict)
    services: dict[str, str] = field(default_factory=dict)

    @property
    def pids(self) -> dict[str, int]:
        """The process that was started first, by service, in the order of reports."""
        first = {self.services[token]: found[0].pid for token, found in self.processes.items()}
        return {name: first[name] for name in (*SERVICES, "?") if name in first}

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return {
            "stack": self.stack or None,
            "state_dir": str(self.folder.root) if self.folder else None,
            "state_dir_holds_it": self.holds_it,
            "project": self.project.to_json() if self.project else None,
            "services": [{"name": name, "pid": pid} for name, pid in self.pids.items()],
        }


def find_stacks() -> list[RunningStack]:
    """Return this user's stacks, by state folder; those that no state folder answers for come too."""
    grouped: dict[tuple[str, str], RunningStack] = {}
    for process, environ in sorted(marked_processes(), key=lambda pair: pair[0].pid):
        state, stack, service = (
            environ.get(name, "") for name in (STATE_VARIABLE, STACK_VARIABLE, SERVICE_VARIABLE)
        )
        folder = StateFolder(Path(state)) if Path(state).is_absolute() else None
        known = RunningStack(stack=stack if is_stack_id(stack) else "", folder=folder)
        running = grouped.setdefault((state, stack), known)
        token = environ[TOKEN_VARIABLE]
        running.processes.setdefault(token, []).append(process)
        running.services[token] = service if is_known(service) else "?"
    return [_with_its_folder(running) for _, running in sorted(grouped.items())]


def stop_everywhere(stacks: list[RunningStack]) -> list[str]:
    """Stop stacks: through their state folder where it holds them, else process by process.

    Args:
        stacks: Those of `find_stacks`.

    Returns:
        The services that were stopped, of all stacks.
    """
    stopped: list[str] = []
    for running in stacks:
        if running.folder and running.holds_it:
            with suppress(RagbedError, OSError):  # then process by process
                down(running.folder, everything=True)
        for token, processes in running.processes.items():
            service = running.services[token]
            gentle = kind_of(service).stop_signal if is_known(service) else signal.SIGTERM
            for process in processes:
                stop(process, gentle=gentle)
        if not running.holds_it:
            _remove_outside(running)
        stopped += running.pids
    return stopped


def _with_its_folder(running: RunningStack) -> RunningStack:
    folder = running.folder
    try:
        project = folder.identity() if folder else None
        tokens = {lease.token for lease in Leases(folder).all()} if folder and project else set()
    except OSError:
        project, tokens = None, set()
    return RunningStack(
        stack=running.stack,
        folder=folder,
        holds_it=project is not None and running.processes.keys() <= tokens,
        project=project,
        processes=running.processes,
        services=running.services,
    )


def _remove_outside(running: RunningStack) -> None:
    """Remove what a server that ran as `nobody` left; data that was to be kept stays."""
    if running.folder is None or not running.stack:
        return
    for service in running.services.values():
        if outside := outside_folder(running.folder.data / running.stack / service):
            remove_outside(outside)
