"""The container daemon, by the `docker` command: what is pulled, built and exported."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

from ragbed.errors import ServiceMissing, ServiceNotReady

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path


def require_daemon() -> None:
    """Refuse to go on where no daemon answers.

    Raises:
        ServiceMissing: The command is not there, or no daemon answers it.
    """
    if not shutil.which("docker"):
        raise ServiceMissing("there is no docker command", hint="apt-get install docker.io")
    done = _docker("version", "--format", "{{.Server.Version}}")
    if done.returncode:
        raise ServiceMissing(
            "no Docker daemon answers",
            details=done.stderr.strip().splitlines()[-2:],
            hint="start dockerd, or name its socket: DOCKER_HOST=unix:///run/user/1000/docker.sock",
        )


def pull(reference: str) -> None:
    """Bring an image into the daemon.

    Args:
        reference: Repository and digest.
    """
    _must("pull", "--quiet", reference)


def tag(reference: str, name: str) -> None:
    """Give an image of the daemon another name."""
    _must("tag", reference, name)


def build(context: bytes, *, target: str, arguments: Mapping[str, str]) -> str:
    """Build a target of a Dockerfile, and return the image's id.

    Args:
        context: A tar file with the Dockerfile.
        target: Of the Dockerfile.
        arguments: Build arguments.
    """
    given = [f"--build-arg={name}={value}" for name, value in arguments.items()]
    done = subprocess.run(
        ["docker", "build", "--quiet", "--network=none", f"--target={target}", *given, "-"],
        input=context,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise ServiceNotReady(
            f"docker did not build {target}", details=done.stderr.decode(errors="replace").splitlines()[-12:]
        )
    return done.stdout.decode().strip().splitlines()[-1]


def save(images: Sequence[str], target: Path) -> None:
    """Write images of the daemon into one tar file."""
    _must("save", "--output", str(target), *images)


def remove(images: Iterable[str]) -> None:
    """Take images out of the daemon, with what only they needed."""
    _must("image", "rm", *images)


def has(reference: str) -> bool:
    """Tell whether the daemon has an image."""
    return _docker("image", "inspect", reference).returncode == 0


def listed(*filters: str) -> list[str]:
    """Return the ids of containers, those that have ended too."""
    words = [word for one in filters for word in ("--filter", one)]
    return _must("container", "ls", "--all", "--quiet", "--no-trunc", *words).split()


def inspect(containers: Sequence[str]) -> list[dict[str, Any]]:
    """Return what the daemon knows of containers; one that is gone meanwhile is left out."""
    if not containers:
        return []
    return list(json.loads(_docker("container", "inspect", *containers).stdout or "[]"))


def _must(*words: str) -> str:
    done = _docker(*words)
    if done.returncode:
        raise ServiceNotReady(
            f"docker {' '.join(words)} failed", details=done.stderr.strip().splitlines()[-4:]
        )
    return done.stdout


def _docker(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *words], capture_output=True, text=True, check=False)
