"""Whose server listens on a port: asked of its process, so that a store needs neither a password nor a marker.

devenv's readiness probes ask it before anything else: a server of another project must not make this one's ready.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import psutil

from ragbed.stack.leases import Leases
from ragbed.stack.ownership import TOKEN_VARIABLE
from ragbed.stack.processes import ProcessIdentity
from ragbed.stack.resources import ProcessResource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ragbed.stack.lease import Lease
    from ragbed.state import StateFolder

DEVENV_ROOT = "DEVENV_ROOT"
"""devenv names its project's folder by it, in the environment of everything that it starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """What the process says that listens on a port.

    Attributes:
        whose: `ours`, `foreign`, `unknown` (it names no project, or cannot be looked at), or `none` where nothing
            listens.
        seen: By what that was told, in words.
    """

    whose: Literal["ours", "foreign", "unknown", "none"]
    seen: str


def listener_on(port: int, folder: StateFolder, root: Path) -> Listener:
    """Return whose the server on a port of this machine is.

    The nearest process decides whose environment names a project, from the one that listens upwards: some servers
    (Redis) overwrite their own environment with their title.

    Args:
        port: Where it listens.
        folder: This project's state folder: its leases tell what ragbed started.
        root: This project's folder, as devenv has it.
    """
    listens, pid = _listening(port)
    if not listens:
        return Listener(whose="none", seen=f"nothing listens on port {port}")
    leases = list(Leases(folder).all())
    for process in _upwards(pid):
        if any(_is_process_of(lease, process) for lease in leases):
            return Listener(whose="ours", seen=f"process {process.pid} is of this project's stack")
        environ = _environ(process)
        if token := environ.get(TOKEN_VARIABLE):
            ours = any(lease.token == token for lease in leases)
            return _found(ours=ours, seen=f"process {process.pid} was started by {_ragbed(ours=ours)}")
        if named := environ.get(DEVENV_ROOT):
            ours = Path(named).resolve() == root.resolve()
            return _found(ours=ours, seen=f"process {process.pid} was started by the devenv of {named}")
    return Listener(whose="unknown", seen=f"the process on port {port} does not show a project")


def _is_process_of(lease: Lease, process: psutil.Process) -> bool:
    resource = lease.resource
    return isinstance(resource, ProcessResource) and resource.process == ProcessIdentity.of(process.pid)


def _found(*, ours: bool, seen: str) -> Listener:
    return Listener(whose="ours" if ours else "foreign", seen=seen)


def _ragbed(*, ours: bool) -> str:
    return "this project's ragbed" if ours else "another project's ragbed"


def _listening(port: int) -> tuple[bool, int | None]:
    """Tell whether anything listens on a port, and return its process where that can be seen."""
    try:
        connections = [_seen(one, one.pid) for one in psutil.net_connections(kind="tcp")]
    except psutil.AccessDenied:  # macOS shows a user only the user's own
        connections = [one for process in psutil.process_iter() for one in _connections(process)]
    pids = [
        pid for address, status, pid in connections if status == psutil.CONN_LISTEN and address[1] == port
    ]
    return bool(pids), next((pid for pid in pids if pid), None)


def _connections(process: psutil.Process) -> list[tuple[Any, str, int | None]]:
    with contextlib.suppress(psutil.Error):
        return [_seen(one, process.pid) for one in process.net_connections(kind="tcp")]
    return []


def _seen(connection: Any, pid: int | None) -> tuple[Any, str, int | None]:
    return connection.laddr, connection.status, pid


def _upwards(pid: int | None) -> Iterator[psutil.Process]:
    """Yield a process and its ancestors."""
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid) if pid else None
        while process is not None and process.pid > 1:
            yield process
            process = process.parent()


def _environ(process: psutil.Process) -> Mapping[str, str]:
    with contextlib.suppress(psutil.Error, OSError):
        return process.environ()
    return {}
