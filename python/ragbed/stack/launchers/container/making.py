"""One container, made by testcontainers' client and not started yet: its lease names it first."""

from __future__ import annotations

import io
import secrets
import tarfile
from functools import cache
from typing import TYPE_CHECKING, Any

from ragbed.events import current_run
from ragbed.stack.launchers.container.labels import labels_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ragbed.stack.kinds import ImagePlan, StartOrder
    from ragbed.stack.launchers.container.daemon import Daemon
    from ragbed.stack.lease import Lease
    from ragbed.stack.resources import ContainerResource


def make_container(
    order: StartOrder,
    plan: ImagePlan,
    *,
    daemon: Daemon,
    resource: ContainerResource,
    image: str,
    lease: Lease,
    port: int,
) -> Any:
    """Return a container that is ready to start, as docker-py has it.

    Args:
        order: What is started.
        plan: How.
        daemon: Where.
        resource: Its network and its volume, which are there.
        image: Repository and digest.
        lease: The lease that was written for it.
        port: The port of this machine; 0 lets the daemon choose one.
    """
    from docker.types import EndpointConfig  # noqa: PLC0415 - an extra

    volumes = {str(folder): {"bind": inside, "mode": "ro"} for folder, inside in plan.mounts.items()}
    if resource.volume:
        volumes[resource.volume] = {"bind": plan.data, "mode": "rw"}
    endpoint = EndpointConfig(daemon.client.api.api_version, aliases=[order.service])
    container = _testcontainers(daemon.url).create(
        image,
        command=list(plan.command) or None,
        environment=dict(plan.environ),
        # On loopback in any case; a tuple of one lets the daemon choose the port.
        ports={f"{plan.port}/tcp": ("127.0.0.1", port) if port else ("127.0.0.1",)},
        labels=labels_of(order, lease, current_run()),
        name=f"{resource.network}-{order.service}-{secrets.token_hex(4)}",
        hostname=order.service,
        mem_limit=f"{order.pins.limits.memory_mb}m",
        volumes=volumes,
        network=resource.network,
        networking_config={resource.network: endpoint},
        detach=True,
    )
    if plan.files:
        container.put_archive("/", _archive(plan.files))
    return container


@cache
def _testcontainers(url: str) -> Any:
    """Return testcontainers' client of a daemon.

    Its Ryuk is not started: leases end what a killed command leaves, at the next command.
    """
    from testcontainers.core.docker_client import DockerClient  # noqa: PLC0415 - an extra

    return DockerClient(environment={"DOCKER_HOST": url}, max_pool_size=32)


def _archive(files: Mapping[str, str]) -> bytes:
    """Return a tar archive of texts by path; every user inside may read them."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path, text in files.items():
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.size, entry.mode = len(text.encode()), 0o444
            archive.addfile(entry, io.BytesIO(text.encode()))
    return packed.getvalue()
