"""The containers of a compose project: which there are, where they answer, and when all of them are well."""

from __future__ import annotations

import subprocess
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ragbed.containers.daemon import inspect, listed, require_daemon
from ragbed.errors import ServiceMissing, ServiceNotReady

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_LABEL = "com.docker.compose"


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container of a compose project.

    Attributes:
        id: Docker's.
        service: As the compose file calls it.
        state: Docker's word, for example `running` or `exited`.
        exit_code: Of one that has ended.
        health: Docker's word: `starting`, `healthy`, `unhealthy`; empty where it has no health check.
        ports: Of the host, by the container's.
    """

    id: str
    service: str
    state: str
    exit_code: int
    health: str
    ports: Mapping[int, int]

    @property
    def is_well(self) -> bool:
        """Tell whether it is healthy, or has no health check and runs, or did its work and ended with 0."""
        if self.state == "exited":
            return self.exit_code == 0
        return self.state == "running" and self.health in {"", "healthy"}

    @property
    def has_failed(self) -> bool:
        """Tell whether waiting is in vain."""
        return self.health == "unhealthy" or (self.state in {"exited", "dead"} and self.exit_code != 0)


def containers_of(project: str) -> dict[str, Container]:
    """Return the containers of a project by service."""
    ids = listed(f"label={_LABEL}.project={project}")
    return {one.service: one for one in map(_container, inspect(ids))}


def wait_until_well(project: str, *, timeout_s: float) -> dict[str, Container]:
    """Wait for the daemon's events until every container of a project is well, and return them.

    Args:
        project: Its name.
        timeout_s: How long that may take.

    Raises:
        ServiceMissing: There is no daemon, or the project has no container.
        ServiceNotReady: A container failed, or time is up.
    """
    require_daemon()
    with _events(project) as events:  # before the first look, so that none is missed
        timer = threading.Timer(timeout_s, events.kill)
        timer.start()
        try:
            for containers in _looks(project, events):
                if all(one.is_well for one in containers.values()):
                    return containers
        finally:
            timer.cancel()
            events.kill()
    late = [one.service for one in containers_of(project).values() if not one.is_well]
    raise ServiceNotReady(
        f"not healthy within {timeout_s:g} s: {', '.join(late)}", hint="docker compose logs " + " ".join(late)
    )


def _looks(project: str, events: subprocess.Popen[bytes]) -> Iterator[dict[str, Container]]:
    """Yield the containers now, and after each event."""
    while True:
        containers = containers_of(project)
        if not containers:
            raise ServiceMissing(
                f"the compose project {project} has no containers",
                hint="docker compose --profile mock up --detach",
            )
        if failed := [one for one in containers.values() if one.has_failed]:
            names = ", ".join(f"{one.service} ({one.health or one.state})" for one in failed)
            raise ServiceNotReady(f"failed: {names}", hint=f"docker compose logs {failed[0].service}")
        yield containers
        if not events.stdout or not events.stdout.readline():
            return


def _events(project: str) -> subprocess.Popen[bytes]:
    filters = [f"label={_LABEL}.project={project}", "event=health_status", "event=start", "event=die"]
    words = [word for one in filters for word in ("--filter", one)]
    return subprocess.Popen(
        ["docker", "events", *words, "--format", "{{.Status}}"],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    )


def _container(described: Mapping[str, Any]) -> Container:
    state = described["State"]
    published = described["NetworkSettings"]["Ports"] or {}
    return Container(
        id=described["Id"],
        service=described["Config"]["Labels"][f"{_LABEL}.service"],
        state=state["Status"],
        exit_code=state["ExitCode"],
        health=state.get("Health", {}).get("Status", ""),
        ports={
            int(inside.partition("/")[0]): int(outside[0]["HostPort"])
            for inside, outside in published.items()
            if outside
        },
    )
