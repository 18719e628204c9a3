"""The launcher `process`: start one private server and return once it does its real work."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn

from ragbed.errors import ServiceMissing, ServiceNotReady
from ragbed.guard import Identity, NotThere, Store, WrongService
from ragbed.stack.endpoint import Endpoint
from ragbed.stack.full_disk import full_disk_hint, log_tail
from ragbed.stack.leases import Lease, Leases, environ_of
from ragbed.stack.processes import ending, remember_child
from ragbed.stack.services import Plan, Request, Starter, free_port
from ragbed.stack.watching import woken_by

if TYPE_CHECKING:
    from pathlib import Path

    from ragbed.pins import ServicePins
    from ragbed.stack.binaries import Search
    from ragbed.stack.kinds import ServiceKind
    from ragbed.stack.processes import ProcessIdentity
    from ragbed.state import StateFolder

_PORT_TRIES = 3
_TAKEN = ("address already in use", "could not bind", "cannot listen on", "bind: address")


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """One service to start.

    Attributes:
        kind: What is known of it.
        starter: How it is found and started.
        pins: What is pinned of it.
        folder: The state folder.
        stack: Id of the stack it belongs to.
        holder: The command that answers for it.
        run: The test run whose workers share it; empty for none.
        data: Its data folder.
        keep: Whether its data outlives it.
        port: The port it must have; 0 allocates one.
        timeout_s: How long it may take until it is ready.
        password: What the settings fix for the server; empty takes that of its data, or a random one.
    """

    kind: ServiceKind
    starter: Starter
    pins: ServicePins
    folder: StateFolder
    stack: str
    holder: ProcessIdentity
    data: Path
    keep: bool
    port: int
    timeout_s: float
    password: str = ""
    run: str = ""

    @property
    def service(self) -> str:
        """Which one."""
        return self.kind.name

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return self.folder.log(self.stack, self.service)


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A service that does its work.

    Attributes:
        endpoint: Where.
        lease: The claim on its process.
        notes: What was passed over on the way, a sentence each.
        seconds: From the call until it was ready.
    """

    endpoint: Endpoint
    lease: Lease
    notes: tuple[str, ...]
    seconds: float


def start(launch: Launch) -> Started:
    """Start a service and return once it is ready. A start that fails leaves nothing behind.

    Raises:
        ServiceMissing: There is no program to start.
        ServiceNotReady: It ended, or was not ready in time; carries the end of its log.
    """
    began = time.monotonic()
    search = launch.starter.search(launch.pins)
    if search.binary is None:
        raise _nothing_to_start(launch, search)
    if launch.port and not _is_free(launch.port):
        raise ServiceNotReady(
            f"{launch.service} cannot have port {launch.port} back: something else listens on it",
            hint=f"free port {launch.port}, or start anew: ragbed down && ragbed up -d",
        )
    launch.log.parent.mkdir(parents=True, exist_ok=True)
    for attempt in range(1, _PORT_TRIES + 1):
        port = launch.port or free_port()
        try:
            endpoint, lease = _start_once(launch, port, search)
        except _PortTaken as taken:
            if launch.port or attempt == _PORT_TRIES:
                raise taken.reason from None
            continue
        notes = tuple(f"{launch.service}: {note}: passed over" for note in search.notes)
        return Started(endpoint=endpoint, lease=lease, notes=notes, seconds=time.monotonic() - began)
    raise ServiceNotReady(f"{launch.service} found no free port in {_PORT_TRIES} tries")


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


def _nothing_to_start(launch: Launch, search: Search) -> ServiceMissing:
    wheel = ", none in a wheel" if launch.pins.channels.wheel else ""
    return ServiceMissing(
        f"there is no {launch.service} to start: none on PATH in {launch.pins.describe_range()}{wheel}",
        details=search.notes,
        hint=launch.starter.advice,
    )


def _start_once(launch: Launch, port: int, search: Search) -> tuple[Endpoint, Lease]:
    leases = Leases(launch.folder)
    lease = leases.open(
        launch.service,
        launch.stack,
        holder=launch.holder,
        data=launch.data,
        keep=launch.keep,
        stop_signal=launch.kind.stop_signal,
        run=launch.run,
    )
    try:
        plan = _prepare(launch, lease, port, search)
        process = _spawn(plan, launch, lease)
        lease = leases.started(lease, process.pid)
        store = launch.kind.client(plan.url)
        identity = _wait_ready(launch, process, store)
        _prove(launch, process, plan)
        _mark(launch, process, store)
    except BaseException:
        leases.end(lease, gentle=False, keep_data=launch.keep or bool(launch.port))
        raise
    endpoint = Endpoint(
        service=launch.service,
        url=plan.url,
        launcher="process",
        product=identity.product,
        version=identity.version,
        real=identity.real,
        provenance=plan.provenance,
        pid=process.pid,
        started_at=datetime.now(UTC),
    )
    return endpoint, leases.answers(lease, endpoint) if launch.run else lease


def _prepare(launch: Launch, lease: Lease, port: int, search: Search) -> Plan:
    """Prepare the data folder; the lease has been written, so that what is left of it is found."""
    request = Request(
        folder=launch.folder,
        data=launch.data,
        port=port,
        pins=launch.pins,
        search=search,
        password=launch.password,
        environ=environ_of(lease, launch.folder),
    )
    try:
        return launch.starter.plan(request)
    except (OSError, subprocess.SubprocessError) as error:
        raise ServiceNotReady(
            f"cannot prepare the data of {launch.service} in {launch.data}: {error}",
            hint=f"free some disk space below {launch.folder.root}, or read the line above",
        ) from error


def _spawn(plan: Plan, launch: Launch, lease: Lease) -> subprocess.Popen[bytes]:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "QDRANT__"))}
    launch.data.mkdir(parents=True, exist_ok=True)
    with launch.log.open("ab") as log:
        try:
            process = subprocess.Popen(
                list(plan.command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**inherited, **plan.environ, **environ_of(lease, launch.folder)},
                user=plan.user,
                start_new_session=True,  # Ctrl-C is for the command; it stops services in its own order
                cwd=launch.data
                if plan.user is None
                else "/",  # a server may read files of the folder it runs in
            )
        except OSError as error:
            raise ServiceNotReady(f"cannot start {plan.command[0]}: {error}") from error
    remember_child(process)
    return process


def _wait_ready(launch: Launch, process: subprocess.Popen[bytes], store: Store) -> Identity:
    """Ask until the service does its work; asked again whenever its log grows or it ends."""
    deadline = time.monotonic() + launch.timeout_s
    last = "it has not listened yet"
    with woken_by(launch.log, process.pid) as wait:
        while True:
            try:
                store.pulse()
                return store.identify()
            except (NotThere, WrongService) as error:
                last = str(error)
            if process.poll() is not None:
                _fail(launch, f"{launch.service} ended at its start ({ending(process.returncode)})")
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                _fail(
                    launch,
                    f"{launch.service} was not ready after {launch.timeout_s:g} s (last: {last})",
                    hint="set RAGBED_STACK__READY_TIMEOUT_S to allow more",
                )
            wait(remaining)


def _prove(launch: Launch, process: subprocess.Popen[bytes], plan: Plan) -> None:
    """Have the service do its real work once, where answering does not show that it can."""
    if plan.prove is None:
        return
    try:
        plan.prove()
    except (NotThere, WrongService) as error:
        _fail(launch, f"{launch.service} answered{_and_ended(process)}, and cannot do its work: {error}")


def _and_ended(process: subprocess.Popen[bytes]) -> str:
    """Return how a process ended that has just failed, in words; empty where it goes on."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(0.5)
    return "" if process.returncode is None else f" and ended ({ending(process.returncode)})"


def _mark(launch: Launch, process: subprocess.Popen[bytes], store: Store) -> None:
    """Write ragbed's marker for this project: the first write, and so the first to meet a disk that is full."""
    project = launch.folder.identity()
    try:
        if project and launch.kind.has_marker:
            store.let_in(project)
    except (NotThere, WrongService) as error:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.5)
        ended = f"ended ({ending(process.returncode)})" if process.returncode is not None else "did not"
        _fail(launch, f"{launch.service} answered, and at the first write {ended}: {error}")


def _fail(launch: Launch, message: str, *, hint: str = "") -> NoReturn:
    lines = log_tail(launch.log)
    hint = full_disk_hint(launch.folder, lines) or hint or f"read the log, {launch.log}"
    error = ServiceNotReady(message, details=[*lines, f"log: {launch.log}"], hint=hint)
    if any(taken in line.lower() for line in lines for taken in _TAKEN):
        raise _PortTaken(error)
    raise error
