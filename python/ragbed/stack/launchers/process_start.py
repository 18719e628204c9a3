"""The start of one private process: search, lease, prepare, spawn, until it does its real work."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import subprocess
import time
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from ragbed.errors import ServiceMissing, ServiceNotReady
from ragbed.stack.endpoint import Endpoint
from ragbed.stack.full_disk import log_tail
from ragbed.stack.launchers.container.volumes import noted_volume
from ragbed.stack.launchers.contract import Ready, StartOrder
from ragbed.stack.leases import Leases, environ_of
from ragbed.stack.processes import ProcessIdentity, ending, remember_child
from ragbed.stack.readiness import PortTaken, Watch, proven_ready
from ragbed.stack.resources import ProcessResource
from ragbed.stack.services import Plan, free_port
from ragbed.stack.services.unprivileged import outside_folder
from ragbed.stack.watching import woken_by

if TYPE_CHECKING:
    from ragbed.guard import Identity
    from ragbed.stack.binaries import Search
    from ragbed.stack.lease import Lease

logger = logging.getLogger(__name__)

_PORT_TRIES = 3


def start_process(order: StartOrder) -> Ready:
    """Start a service as a private process and return once it is ready. A start that fails leaves nothing behind.

    Args:
        order: What to start.

    Raises:
        ServiceMissing: There is no program to start.
        ServiceNotReady: It ended, or was not ready in time; carries the end of its log.
    """
    began = time.monotonic()
    if noted_volume(order.data):
        raise ServiceNotReady(
            f"the kept data of {order.service} is in a container's volume, and a process cannot use it",
            hint="ragbed up --keep --launcher container, or delete it by `ragbed reset`",
        )
    search = order.starter.search(order.pins)
    if search.binary is None:
        raise _nothing_to_start(order, search)
    if order.port and not is_free(order.port):
        raise ServiceNotReady(
            f"{order.service} cannot have port {order.port} back: something else listens on it",
            hint=f"free port {order.port}, or start anew: ragbed down && ragbed up -d",
        )
    order.log.parent.mkdir(parents=True, exist_ok=True)
    endpoint, lease = _start_on_a_port(replace(order, search=search))
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


def is_free(port: int) -> bool:
    """Tell whether a server could listen on a loopback port; connections that are closing do not count."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen(1)
        except OSError:
            return False
        return True


def _nothing_to_start(order: StartOrder, search: Search) -> ServiceMissing:
    wheel = ", none in a wheel" if order.pins.channels.wheel else ""
    return ServiceMissing(
        f"there is no {order.service} to start: none on PATH in {order.pins.describe_range()}{wheel}",
        details=search.notes,
        hint=order.starter.advice,
    )


def _start_on_a_port(order: StartOrder) -> tuple[Endpoint, Lease]:
    """Start it on the ordered port; else on a free one, another where a program takes that at this moment."""
    for _ in range(_PORT_TRIES):
        try:
            return _start_once(replace(order, port=order.port or free_port()), fixed=bool(order.port))
        except PortTaken as taken:
            last = taken.reason
            if order.port:
                break
    raise last


def _start_once(order: StartOrder, *, fixed: bool) -> tuple[Endpoint, Lease]:
    leases = Leases(order.folder)
    resource = ProcessResource(outside=outside_folder(order.data), stop_signal=order.kind.stop_signal)
    lease = leases.open(
        order.service,
        order.stack,
        holder=order.holder,
        data=order.data,
        keep=order.keep,
        resource=resource,
        run=order.run,
    )
    try:
        plan = _prepare(replace(order, environ=environ_of(lease, order.folder)))
        process = _spawn(plan, order, lease)
        lease = leases.started(lease, replace(resource, process=ProcessIdentity.of(process.pid)))
        identity = _proven(order, process, plan)
    except BaseException:
        leases.end(lease, grace_s=0.0, keep_data=order.keep or fixed)
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


def _proven(order: StartOrder, process: subprocess.Popen[bytes], plan: Plan) -> Identity:
    """Return who answers, asked again whenever the log grows or the process ends."""
    with woken_by(order.log, process.pid) as wait:
        watch = Watch(wait=wait, ended=partial(_ended, process), tail=partial(log_tail, order.log))
        return proven_ready(order, order.kind.client(plan.url), watch, plan.prove)


def _ended(process: subprocess.Popen[bytes], within_s: float) -> str:
    """Return how a process ended, in words; empty where it goes on."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        return ending(process.wait(within_s))
    return ""


def _prepare(order: StartOrder) -> Plan:
    """Prepare the data folder; the lease has been written, so that what is left of it is found."""
    try:
        return order.starter.plan(order)
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
