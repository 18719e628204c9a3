"""The launcher `process`: private servers, started from programs on PATH and in wheels."""

from __future__ import annotations

import contextlib
import signal
from functools import partial
from typing import TYPE_CHECKING

import psutil

from ragbed.stack.full_disk import log_tail
from ragbed.stack.launchers.contract import Ready, Running, StartOrder
from ragbed.stack.launchers.log_files import follow_log
from ragbed.stack.launchers.process_start import start_process
from ragbed.stack.ownership import (
    SERVICE_VARIABLE,
    STACK_VARIABLE,
    STATE_VARIABLE,
    TOKEN_VARIABLE,
    carries,
    find_marked,
    find_workers,
    marked_processes,
)
from ragbed.stack.processes import ProcessIdentity, endings, resume, stop
from ragbed.stack.registry import is_known, kind_of
from ragbed.stack.resources import ProcessResource
from ragbed.stack.services.unprivileged import outside_folder, remove_outside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from ragbed.stack.endpoint import LauncherName
    from ragbed.stack.lease import Lease

_KILLED_WITHIN_S = 5.0


class ProcessLauncher:
    """Starts a private process: a program on PATH that satisfies the pins, else one of a wheel, else a substitute."""

    name: LauncherName = "process"

    def unavailable(self) -> str:
        """Return an empty text: what cannot be started is told of each service."""
        return ""

    def start(self, order: StartOrder) -> Ready:
        """Start a service and return once it is ready. A start that fails leaves nothing behind.

        Raises:
            ServiceMissing: There is no program to start.
            ServiceNotReady: It ended, or was not ready in time; carries the end of its log.
        """
        return start_process(order)

    def is_alive(self, lease: Lease) -> bool:
        """Tell whether a lease's process runs, and proves by its environment that it is this lease's."""
        resource = _resource(lease)
        if resource.process is None or not resource.process.is_alive():
            return False
        return carries(resource.process.pid, lease.token, data=lease.data, outside=resource.outside)

    def when_ended(self, lease: Lease, call: Callable[[], None]) -> None:
        """Do nothing: SIGCHLD tells of it."""

    def endings(self, leases: Mapping[str, Lease]) -> dict[str, str]:
        """Return how processes of this command have ended by themselves; of others nothing is known."""
        processes = {name: _resource(lease).process for name, lease in leases.items()}
        return endings({name: process for name, process in processes.items() if process})

    def logs(self, lease: Lease, *, lines: int) -> list[str]:
        """Return the last lines of its log."""
        return log_tail(lease.folder.log(lease.stack, lease.service), lines)

    def follow(self, lease: Lease, *, lines: int, ended: Callable[[], bool]) -> Iterator[Sequence[str]]:
        """Yield the last lines of its log, then new ones as they are written."""
        return follow_log(lease.folder.log(lease.stack, lease.service), lines=lines, ended=ended)

    def stop(self, lease: Lease, *, keep_data: bool, grace_s: float = 5.0) -> None:
        """End the process of a lease and what it left running in its data folder; the lease stays."""
        resource = _resource(lease)
        asked = resource.stop_signal if grace_s else signal.SIGKILL
        if resource.process and self.is_alive(lease):
            processes = [resource.process]
        else:
            folders = [folder for folder in (lease.data, resource.outside) if folder]
            workers = [one for folder in folders for one in find_workers(folder)]
            processes = [*workers, *find_marked(lease.token)]  # workers of a server that was killed
        for process in processes:
            if not _running(process, _environ(process)).is_of_another(lease.folder):
                stop(process, gentle=asked, timeout_s=grace_s or _KILLED_WITHIN_S)
        if not keep_data:
            _remove_data(lease, resource)

    def move_data(self, data: Path, kept: Path) -> None:
        """Have the folder of a server that runs as `nobody` follow its data folder."""
        outside, target = outside_folder(data), outside_folder(kept)
        if outside and target and outside.exists():
            outside.rename(target)

    def forget_data(self, data: Path) -> None:
        """Remove the folder of a server that ran as `nobody`."""
        if outside := outside_folder(data):
            remove_outside(outside)

    def resume(self, lease: Lease) -> None:
        """Let its process run on."""
        process = _resource(lease).process
        if process and self.is_alive(lease):
            resume(process)

    def running(self) -> Iterator[Running]:
        """Yield this user's processes that carry a token in their environment."""
        marked = sorted(marked_processes(), key=lambda pair: pair[0].pid)
        return (_running(process, environ) for process, environ in marked)


def _resource(lease: Lease) -> ProcessResource:
    if not isinstance(lease.resource, ProcessResource):
        raise TypeError(f"the lease {lease.token} is not of a process")
    return lease.resource


def _remove_data(lease: Lease, resource: ProcessResource) -> None:
    lease.folder.remove(lease.data)
    if resource.outside:
        remove_outside(resource.outside)
    with contextlib.suppress(OSError):
        lease.data.parent.rmdir()  # the stack's own folder, once it is empty


def _environ(process: ProcessIdentity) -> Mapping[str, str]:
    with contextlib.suppress(psutil.Error, OSError):
        return psutil.Process(process.pid).environ()
    return {}


def _running(process: ProcessIdentity, environ: Mapping[str, str]) -> Running:
    service = environ.get(SERVICE_VARIABLE, "")
    return Running(
        token=environ.get(TOKEN_VARIABLE, ""),
        state=environ.get(STATE_VARIABLE, ""),
        stack=environ.get(STACK_VARIABLE, ""),
        service=service,
        end=partial(_end, process, service),
        pid=process.pid,
    )


def _end(process: ProcessIdentity, service: str, ask: bool) -> None:
    asked = kind_of(service).stop_signal if is_known(service) else signal.SIGTERM
    stop(process, gentle=asked if ask else signal.SIGKILL)
