"""What the launcher `container` does with what it started: look, show, stop, find."""

from __future__ import annotations

import contextlib
import os
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from ragbed.errors import RagbedError
from ragbed.stack.launcher_choice import launcher_named
from ragbed.stack.launchers.container.daemon import daemon_at, find_daemon
from ragbed.stack.launchers.container.labels import LEASE, SERVICE, STACK, STATE, USER, by_label
from ragbed.stack.launchers.container.logs import follow_container, keep_log, lines_of
from ragbed.stack.launchers.container.reuse import reused
from ragbed.stack.launchers.container.start import how_ended, start_container
from ragbed.stack.launchers.container.volumes import remove_noted_volume, remove_volume
from ragbed.stack.launchers.contract import Ready, Running, StartOrder
from ragbed.stack.resources import ContainerResource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from ragbed.stack.endpoint import LauncherName
    from ragbed.stack.lease import Lease

_SHORT_ID = 12


class ContainerLauncher:
    """Starts services from their pinned images; substitutes of ragbed's go on as processes."""

    name: LauncherName = "container"

    def unavailable(self) -> str:
        """Return why no container can be started here: no daemon, or the extra is not installed."""
        try:
            find_daemon()
        except RagbedError as error:
            return f"{error.message} ({error.hint})" if error.hint else error.message
        return ""

    def start(self, order: StartOrder) -> Ready:
        """Start a service and return once it is ready. A start that fails leaves nothing behind.

        Raises:
            ServiceMissing: There is no daemon, or no image.
            ServiceNotReady: It ended, or was not ready in time; carries the end of its log.
        """
        plan = order.starter.image(order)
        if plan is None:
            return launcher_named("process").start(order)
        start = partial(start_container, plan=plan)
        return reused(order, plan, start) if order.reuse else start(order)

    def is_alive(self, lease: Lease) -> bool:
        """Tell whether a lease's container runs; a daemon that does not answer runs none."""
        with contextlib.suppress(RagbedError):
            return any(container.status == "running" for container in _containers(lease))
        return False

    def when_ended(self, lease: Lease, call: Callable[[], None]) -> None:
        """Call a function once its container has ended, or its daemon has gone."""
        with contextlib.suppress(RagbedError):
            for container in _containers(lease):
                threading.Thread(target=_wait, args=(container, call), daemon=True).start()

    def endings(self, leases: Mapping[str, Lease]) -> dict[str, str]:
        """Return how containers have ended by themselves."""
        ended = {}
        for name, lease in leases.items():
            with contextlib.suppress(RagbedError):
                for container in _containers(lease):
                    ended[name] = how_ended(container, 0.0)
        return {name: how for name, how in ended.items() if how}

    def logs(self, lease: Lease, *, lines: int) -> list[str]:
        """Return the last lines that it wrote."""
        return [line for container in _containers(lease) for line in lines_of(container, lines)]

    def follow(self, lease: Lease, *, lines: int, ended: Callable[[], bool]) -> Iterator[Sequence[str]]:
        """Yield the last lines that it wrote, then new ones as they come."""
        for container in _containers(lease):
            yield from follow_container(container, lines=lines, ended=ended)

    def stop(self, lease: Lease, *, keep_data: bool, grace_s: float = 5.0) -> None:
        """Remove the container of a lease, the network of its stack with the last one, and the data.

        Raises:
            ServiceMissing: Its daemon does not answer.
        """
        resource = _resource(lease)
        for container in _containers(lease):
            if not _running(container).is_of_another(lease.folder):
                keep_log(container, lease.folder.log(lease.stack, lease.service))
                _remove(container, grace_s)
        _remove_network(resource)
        if not keep_data:
            if resource.volume:
                remove_volume(resource.daemon, resource.volume)
            lease.folder.remove(lease.data)
            with contextlib.suppress(OSError):
                lease.data.parent.rmdir()  # the stack's own folder, once it is empty

    def move_data(self, data: Path, kept: Path) -> None:
        """Do nothing: the note of the volume moves with its folder."""

    def forget_data(self, data: Path) -> None:
        """Remove the volume that a data folder notes."""
        remove_noted_volume(data)

    def resume(self, lease: Lease) -> None:
        """Let a paused container run on."""
        with contextlib.suppress(RagbedError):
            for container in _containers(lease):
                if container.status == "paused":
                    container.unpause()

    def running(self) -> Iterator[Running]:
        """Yield this user's containers that carry a lease's token, at the daemon that is in force."""
        try:
            client = find_daemon().client
        except RagbedError:
            return
        for container in client.containers.list(**by_label(USER, str(os.getuid()))):
            if container.labels.get(LEASE):
                yield _running(container)


def _wait(container: Any, call: Callable[[], None]) -> None:
    with contextlib.suppress(Exception):  # the daemon has gone: the look that follows says so
        container.wait(timeout=None)
    call()


def _resource(lease: Lease) -> ContainerResource:
    if not isinstance(lease.resource, ContainerResource):
        raise TypeError(f"the lease {lease.token} is not of a container")
    return lease.resource


def _containers(lease: Lease) -> list[Any]:
    """Return what carries a lease's token: one container, or none; those that have ended too.

    Raises:
        ServiceMissing: Its daemon does not answer.
    """
    client = daemon_at(_resource(lease).daemon).client
    found: list[Any] = client.containers.list(all=True, ignore_removed=True, **by_label(LEASE, lease.token))
    return found


def _running(container: Any) -> Running:
    labels = container.labels
    return Running(
        token=labels.get(LEASE, ""),
        state=labels.get(STATE, ""),
        stack=labels.get(STACK, ""),
        service=labels.get(SERVICE, ""),
        end=partial(_end, container),
        container=container.id[:_SHORT_ID],
    )


def _end(container: Any, ask: bool) -> None:
    _remove(container, 5.0 if ask else 0.0)


def _remove(container: Any, grace_s: float) -> None:
    """End a container and remove it with its unnamed volumes; nothing happens where it has gone."""
    from docker.errors import APIError  # noqa: PLC0415 - an extra

    with contextlib.suppress(APIError):
        if grace_s and container.status == "running":
            container.stop(timeout=max(1, round(grace_s)))
    with contextlib.suppress(APIError):
        container.remove(force=True, v=True)


def _remove_network(resource: ContainerResource) -> None:
    """Remove the network of a stack; it stays while another container of the stack is in it."""
    client = daemon_at(resource.daemon).client
    from docker.errors import APIError  # noqa: PLC0415 - an extra

    for network in client.networks.list(names=[resource.network]):
        if STATE in (network.attrs.get("Labels") or {}):
            with contextlib.suppress(APIError):
                network.remove()
