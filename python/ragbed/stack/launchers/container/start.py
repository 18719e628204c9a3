"""The start of one container: image, lease, network, volume, container, until the service does its real work."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from ragbed.errors import ServiceNotReady
from ragbed.events import current_run
from ragbed.pins import RAGBED, Provenance
from ragbed.stack.endpoint import Endpoint
from ragbed.stack.launchers.container.daemon import find_daemon
from ragbed.stack.launchers.container.docker_errors import explained
from ragbed.stack.launchers.container.images import have_image
from ragbed.stack.launchers.container.labels import labels_of, network_labels
from ragbed.stack.launchers.container.logs import keep_log, lines_of
from ragbed.stack.launchers.container.making import make_container
from ragbed.stack.launchers.container.seeds import make_seed, put_seed
from ragbed.stack.launchers.container.volumes import is_of_a_process, note_volume, noted_volume
from ragbed.stack.launchers.contract import Ready
from ragbed.stack.leases import Leases
from ragbed.stack.readiness import PortTaken, Watch, proven_ready, wait_ready
from ragbed.stack.resources import ContainerResource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ragbed.stack.kinds import ImagePlan, StartOrder
    from ragbed.stack.launchers.container.daemon import Daemon
    from ragbed.stack.lease import Lease

logger = logging.getLogger(__name__)

_SHORT_ID = 12
_WAKE_WITHIN_S = 0.1
_making_networks = threading.Lock()
"""Services of a stack start at once, and share a network; daemons allow two of one name."""


def start_container(order: StartOrder, plan: ImagePlan) -> Ready:
    """Start a service from its image and return once it is ready. A start that fails leaves nothing behind.

    Args:
        order: What to start.
        plan: How.

    Raises:
        ServiceMissing: There is no daemon, or no image.
        ServiceNotReady: It ended, or was not ready in time; carries the end of its log.
    """
    began = time.monotonic()
    if plan.data and is_of_a_process(order.data):
        raise ServiceNotReady(
            f"the kept data of {order.service} is a process's, and a container cannot use it",
            hint="ragbed up --keep --launcher process, or delete it by `ragbed reset`",
        )
    daemon = find_daemon()
    image = have_image(order, daemon, timeout_s=order.pull_timeout_s)
    resource = ContainerResource(
        daemon=daemon.url,
        network=f"ragbed-{order.stack}",
        volume=noted_volume(order.data) or _volume_name(order, plan),
    )
    leases = Leases(order.folder)
    lease = leases.open(
        order.service,
        order.stack,
        holder=order.holder,
        data=order.data,
        keep=order.keep,
        resource=resource,
        run=order.run,
        expires_at=order.expires_at,
        reuse_key=order.reuse_key,
    )
    try:
        with explained(order, daemon):
            container, lease = _make(order, plan, daemon=daemon, lease=lease, image=image)
            endpoint = _proven(order, plan, container)
    except BaseException as error:
        leases.end_if_possible(lease, grace_s=0.0, keep_data=order.keep or bool(order.port))
        raise (error.reason if isinstance(error, PortTaken) else error) from None
    lease = leases.answers(lease, endpoint)
    seconds = time.monotonic() - began
    logger.info("%s started as container %s in %.2f s", image, endpoint.provenance.container, seconds)
    return Ready(endpoint=endpoint, lease=lease, seconds=seconds)


def _volume_name(order: StartOrder, plan: ImagePlan) -> str:
    return f"ragbed-{order.stack}-{order.service}" if plan.data else ""


def _make(
    order: StartOrder, plan: ImagePlan, *, daemon: Daemon, lease: Lease, image: str
) -> tuple[Any, Lease]:
    """Start the container with its network and its volume; returns docker-py's, and the lease that names it."""
    leases, resource = Leases(order.folder), lease.resource
    if not isinstance(resource, ContainerResource):
        raise TypeError(f"the lease of {lease.service} is not of a container")
    make = partial(make_container, order, plan, daemon=daemon, resource=resource, image=image, lease=lease)
    _have_network(order, daemon, resource.network)
    new = bool(resource.volume) and not noted_volume(order.data)
    if new:
        note_volume(order.data, resource.volume, daemon.url)
        daemon.client.volumes.create(resource.volume, labels=labels_of(order, lease, current_run()))
    seeded = new and plan.seed is not None
    if seeded:
        make_seed(order, plan, partial(_first_of_its_image, order, plan, make))
    container = make(port=order.port)
    lease = leases.started(lease, replace(resource, container=container.id))
    if seeded and plan.seed:
        put_seed(plan.seed, container, plan.data)
    container.start()
    return container, lease


def _have_network(order: StartOrder, daemon: Daemon, name: str) -> None:
    with _making_networks:
        if not daemon.client.networks.list(names=[name]):
            daemon.client.networks.create(name, labels=network_labels(order))


def _first_of_its_image(order: StartOrder, plan: ImagePlan, make: Callable[..., Any]) -> Any:
    """Return a container whose service does its work, for its data to be kept; it carries no project's marker."""
    container = make(port=0)
    container.start()
    url = plan.url.format(port=_port(order, plan, container))
    with _watched(container) as watch:
        wait_ready(order, order.kind.client(url), watch)
    if plan.prove:
        plan.prove(url)
    return container


def _proven(order: StartOrder, plan: ImagePlan, container: Any) -> Endpoint:
    """Return where the service answers, asked from outside by the probe that every launcher uses."""
    url = plan.url.format(port=_port(order, plan, container))
    order.log.parent.mkdir(parents=True, exist_ok=True)
    with _watched(container) as watch:
        prove = partial(plan.prove, url) if plan.prove else None
        try:
            identity = proven_ready(order, order.kind.client(url), watch, prove)
        except BaseException:
            with suppress(Exception):  # the daemon may be what failed
                keep_log(container, order.log)
            raise
    image = order.pins.channels.image
    return Endpoint(
        service=order.service,
        url=url,
        launcher="container",
        product=identity.product,
        version=identity.version,
        real=identity.real,
        provenance=Provenance(
            channel="image",
            package=image.reference,
            digest=image.digest,
            container=container.id[:_SHORT_ID],
            started_by=RAGBED,
            models=next(map(str, plan.mounts), ""),
        ),
        started_at=datetime.now(UTC),
    )


def _port(order: StartOrder, plan: ImagePlan, container: Any) -> int:
    """Return the port of this machine that leads to the service; a container that has ended has none."""
    container.reload()
    bound = container.ports.get(f"{plan.port}/tcp")
    if bound:
        return int(bound[0]["HostPort"])
    lines = lines_of(container, 8)
    raise ServiceNotReady(
        f"{order.service} ended at its start ({how_ended(container, 0.0) or 'it has no port'})",
        details=lines,
        hint="read the lines; the image may not be the service's",
    )


def how_ended(container: Any, within_s: float) -> str:
    """Return how a container ended, in words; empty where it goes on.

    Args:
        container: docker-py's.
        within_s: How long to wait for its end.
    """
    deadline = time.monotonic() + within_s
    while True:
        container.reload()
        state = container.attrs["State"]
        if not state.get("Running"):
            break
        if time.monotonic() >= deadline:
            return ""
        time.sleep(_WAKE_WITHIN_S)
    if state.get("OOMKilled"):
        return "it took more memory than the pins allow"
    code = int(state.get("ExitCode", 0))
    killed = 128 < code < 160
    return state.get("Error") or (f"killed by signal {code - 128}" if killed else f"exit code {code}")


@contextmanager
def _watched(container: Any) -> Iterator[Watch]:
    """Yield how a container is watched while its service is not ready yet."""
    with _woken(container) as wait:
        yield Watch(wait=wait, ended=partial(how_ended, container), tail=partial(lines_of, container, 8))


@contextmanager
def _woken(container: Any) -> Iterator[Any]:
    """Yield a function that waits until the container writes something, a tenth of a second at most."""
    wrote = threading.Event()
    stream = container.logs(stream=True, follow=True)

    def read() -> None:
        with suppress(Exception):  # the stream is closed under it at the end
            for _ in stream:
                wrote.set()

    def wait(timeout_s: float) -> None:
        wrote.wait(min(timeout_s, _WAKE_WITHIN_S))
        wrote.clear()

    threading.Thread(target=read, daemon=True).start()
    try:
        yield wait
    finally:
        with suppress(Exception):
            stream.close()
