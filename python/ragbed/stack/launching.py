"""The launcher `process`: start one private server and return once it does its real work."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import subprocess
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn

from ragbed.errors import ServiceMissing, ServiceNotReady
from ragbed.guard import Identity, NotThere, Probe, WrongService
from ragbed.stack.endpoint import Endpoint
from ragbed.stack.full_disk import full_disk_hint, log_tail
from ragbed.stack.launchers import Ready, StartOrder
from ragbed.stack.leases import Leases, environ_of
from ragbed.stack.processes import ending, remember_child
from ragbed.stack.services import Plan, Request, free_port
from ragbed.stack.watching import woken_by

if TYPE_CHECKING:
    from ragbed.stack.binaries import Search
    from ragbed.stack.endpoint import LauncherName
    from ragbed.stack.lease import Lease

logger = logging.getLogger(__name__)

_PORT_TRIES = 3
_TAKEN = ("address already in use", "could not bind", "cannot listen on", "bind: address")


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
        began = time.monotonic()
        search = order.starter.search(order.pins)
        if search.binary is None:
            raise _nothing_to_start(order, search)
        if order.port and not _is_free(order.port):
            raise ServiceNotReady(
                f"{order.service} cannot have port {order.port} back: something else listens on it",
                hint=f"free port {order.port}, or start anew: ragbed down && ragbed up -d",
            )
        order.log.parent.mkdir(parents=True, exist_ok=True)
        for attempt in range(1, _PORT_TRIES + 1):
            port = order.port or free_port()
            try:
                endpoint, lease = _start_once(order, port, search)
            except _PortTaken as taken:
                if order.port or attempt == _PORT_TRIES:
                    raise taken.reason from None
                continue
            notes = tuple(f"{order.service}: {note}: passed over" for note in search.notes)
            seconds = time.monotonic() - began
            logger.info(
                "%s %s started as process %s in %.2f s, log %s",
                endpoint.product,
                endpoint.version,
                endpoint.pid,
                seconds,
                order.log,
            )
            return Ready(endpoint=endpoint, lease=lease, notes=notes, seconds=seconds)
        raise ServiceNotReady(f"{order.service} found no free port in {_PORT_TRIES} tries")


def _is_free(port: int) -> bool:
    """Tell whether a server could listen on a loopback port; connections that are closing do not count."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen(1)
        except OSError:
            return False
        return True


class _PortTaken(Exception):
    """Another program took the port between our choice and the service's start."""

    def __init__(self, reason: ServiceNotReady) -> None:
        super().__init__(str(reason))
        self.reason = reason


def _nothing_to_start(order: StartOrder, search: Search) -> ServiceMissing:
    wheel = ", none in a wheel" if order.pins.channels.wheel else ""
    return ServiceMissing(
        f"there is no {order.service} to start: none on PATH in {order.pins.describe_range()}{wheel}",
        details=search.notes,
        hint=order.starter.advice,
    )


def _start_once(order: StartOrder, port: int, search: Search) -> tuple[Endpoint, Lease]:
    leases = Leases(order.folder)
    lease = leases.open(
        order.service,
        order.stack,
        holder=order.holder,
        data=order.data,
        keep=order.keep,
        stop_signal=order.kind.stop_signal,
        run=order.run,
    )
    try:
        plan = _prepare(order, lease, port, search)
        process = _spawn(plan, order, lease)
        lease = leases.started(lease, process.pid)
        store = order.kind.client(plan.url)
        identity = _wait_ready(order, process, store)
        _prove(order, process, plan)
        _mark(order, process, store)
    except BaseException:
        leases.end(lease, gentle=False, keep_data=order.keep or bool(order.port))
        raise
    endpoint = Endpoint(
        service=order.service,
        url=plan.url,
        launcher="process",
        product=identity.product,
        version=identity.version,
        real=identity.real,
        provenance=plan.provenance,
        pid=process.pid,
        started_at=datetime.now(UTC),
    )
    return endpoint, leases.answers(lease, endpoint) if order.run else lease


def _prepare(order: StartOrder, lease: Lease, port: int, search: Search) -> Plan:
    """Prepare the data folder; the lease has been written, so that what is left of it is found."""
    request = Request(
        folder=order.folder,
        data=order.data,
        port=port,
        pins=order.pins,
        search=search,
        password=order.password,
        environ=environ_of(lease, order.folder),
    )
    try:
        return order.starter.plan(request)
    except (OSError, subprocess.SubprocessError) as error:
        raise ServiceNotReady(
            f"cannot prepare the data of {order.service} in {order.data}: {error}",
            hint=f"free some disk space below {order.folder.root}, or read the line above",
        ) from error


def _spawn(plan: Plan, order: StartOrder, lease: Lease) -> subprocess.Popen[bytes]:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "QDRANT__"))}
    order.data.mkdir(parents=True, exist_ok=True)
    with order.log.open("ab") as log:
        try:
            process = subprocess.Popen(
                list(plan.command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**inherited, **plan.environ, **environ_of(lease, order.folder)},
                user=plan.user,
                start_new_session=True,  # Ctrl-C is for the command; it stops services in its own order
                cwd=order.data
                if plan.user is None
                else "/",  # a server may read files of the folder it runs in
            )
        except OSError as error:
            raise ServiceNotReady(f"cannot start {plan.command[0]}: {error}") from error
    remember_child(process)
    return process


def _wait_ready(order: StartOrder, process: subprocess.Popen[bytes], store: Probe) -> Identity:
    """Ask until the service does its work; asked again whenever its log grows or it ends."""
    deadline = time.monotonic() + order.timeout_s
    last = "it has not listened yet"
    with woken_by(order.log, process.pid) as wait:
        while True:
            try:
                store.pulse()
                return store.identify()
            except (NotThere, WrongService) as error:
                last = str(error)
            if process.poll() is not None:
                _fail(order, f"{order.service} ended at its start ({ending(process.returncode)})")
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                _fail(
                    order,
                    f"{order.service} was not ready after {order.timeout_s:g} s (last: {last})",
                    hint="set RAGBED_STACK__READY_TIMEOUT_S to allow more",
                )
            wait(remaining)


def _prove(order: StartOrder, process: subprocess.Popen[bytes], plan: Plan) -> None:
    """Have the service do its real work once, where answering does not show that it can."""
    if plan.prove is None:
        return
    try:
        plan.prove()
    except (NotThere, WrongService) as error:
        _fail(order, f"{order.service} answered{_and_ended(process)}, and cannot do its work: {error}")


def _and_ended(process: subprocess.Popen[bytes]) -> str:
    """Return how a process ended that has just failed, in words; empty where it goes on."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(0.5)
    return "" if process.returncode is None else f" and ended ({ending(process.returncode)})"


def _mark(order: StartOrder, process: subprocess.Popen[bytes], store: Probe) -> None:
    """Write ragbed's marker for this project: the first write, and so the first to meet a disk that is full."""
    project = order.folder.identity()
    try:
        if project and order.kind.has_marker:
            store.let_in(project)
    except (NotThere, WrongService) as error:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.5)
        ended = f"ended ({ending(process.returncode)})" if process.returncode is not None else "did not"
        _fail(order, f"{order.service} answered, and at the first write {ended}: {error}")


def _fail(order: StartOrder, message: str, *, hint: str = "") -> NoReturn:
    lines = log_tail(order.log)
    hint = full_disk_hint(order.folder, lines) or hint or f"read the log, {order.log}"
    error = ServiceNotReady(message, details=[*lines, f"log: {order.log}"], hint=hint)
    if any(taken in line.lower() for line in lines for taken in _TAKEN):
        raise _PortTaken(error)
    raise error
