"""What a daemon's refusals mean for the user: one line each, and what to do."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ragbed.errors import RagbedError, ServiceMissing, ServiceNotReady
from ragbed.stack.readiness import PortTaken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ragbed.stack.kinds import StartOrder
    from ragbed.stack.launchers.container.daemon import Daemon

_TAKEN = ("port is already allocated", "address already in use", "ports are not available")
_FULL = ("no space left on device", "disk quota exceeded")
_OTHER_MACHINE = ("exec format error", "no matching manifest", "does not match the specified platform")


@contextmanager
def explained(order: StartOrder, daemon: Daemon) -> Iterator[None]:
    """Turn what docker-py raises in the body into errors of ours.

    Raises:
        ServiceMissing: The daemon has gone.
        ServiceNotReady: It refused.
        PortTaken: Something else has the port.
    """
    from docker.errors import APIError, DockerException  # noqa: PLC0415 - an extra
    from requests.exceptions import RequestException  # noqa: PLC0415 - as above

    try:
        yield
    except APIError as error:
        raise _refused(order, str(error.explanation or error)) from error
    except (DockerException, RequestException) as error:
        raise ServiceMissing(
            f"the daemon at {daemon.url} stopped answering while {order.service} was started",
            details=[str(error)],
            hint="start it again; the next command removes what is left",
        ) from error


def _refused(order: StartOrder, said: str) -> RagbedError | PortTaken:
    """Return what to raise for the words of a daemon."""
    line = said.strip().splitlines()[-1] if said.strip() else "no word"
    lower = said.lower()
    if any(word in lower for word in _TAKEN):
        message = f"the container of {order.service} cannot have its port: {line}"
        return PortTaken(ServiceNotReady(message, hint="free the port, or start anew: ragbed down"))
    if any(word in lower for word in _FULL):
        return ServiceNotReady(
            f"the daemon's disk is full: {order.service} cannot be started: {line}",
            hint="make room: docker system prune",
        )
    if any(word in lower for word in _OTHER_MACHINE):
        return ServiceNotReady(
            f"the image of {order.service} is not for this machine's processor: {line}",
            hint="pin an image of this architecture in stack.toml",
        )
    return ServiceNotReady(
        f"the daemon does not start {order.service}: {line}", hint="read the line; docker info shows more"
    )
