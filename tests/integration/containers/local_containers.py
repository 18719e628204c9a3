"""Containers of the local images; without a daemon, or before scripts/build-images, their tests are skipped."""

from __future__ import annotations

import json
import secrets
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from ragbed.containers import daemon
from ragbed.containers.workshop import workshop_folder
from ragbed.errors import ServiceMissing
from ragbed.guard import NotThere, WrongService
from ragbed.stack.registry import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ragbed.guard import Probe


def docker(*words: str, check: bool = True, **more: Any) -> subprocess.CompletedProcess[str]:
    """Call docker, and fail with what it said."""
    done = subprocess.run(["docker", *words], capture_output=True, text=True, check=False, **more)
    assert not (check and done.returncode), done.stderr
    return done


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalImages:
    """What scripts/build-images has built.

    Attributes:
        folder: Where its blobs are.
        images: As it says in JSON, by name.
    """

    folder: Path
    images: Mapping[str, dict[str, Any]]

    def __getitem__(self, name: str) -> str:
        """Return the name by which the daemon has an image: repository and digest."""
        image = self.images[name]
        return f"{image['reference'].rpartition(':')[0]}@{image['digest']}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningContainer:
    """A container of a test."""

    name: str

    def port(self, inside: int) -> int:
        """Return the port of this machine that leads to one of the container's."""
        return int(docker("port", self.name, str(inside)).stdout.split("\n")[0].rpartition(":")[2])

    def run(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a program inside."""
        return docker("exec", self.name, *words, check=check)

    def logs(self) -> str:
        """Return what it has said."""
        done = docker("logs", self.name)
        return done.stdout + done.stderr


def wait_for(service: str, url: str, *, timeout_s: float = 60) -> Probe:
    """Return the client of a service once it says who it is; the probe is the one of ragbed's launchers."""
    client = kind_of(service).client(url, timeout_s=2.0)
    ends_at = time.monotonic() + timeout_s
    while True:
        try:
            client.identify()
        except (NotThere, WrongService):
            assert time.monotonic() < ends_at, f"{service} did not answer at {url}"
            time.sleep(0.05)
        else:
            return client


@contextmanager
def running(image: str, *words: str, options: tuple[str, ...] = ()) -> Iterator[RunningContainer]:
    """Run a container with its ports on loopback, and remove it and its volumes."""
    name = f"ragbed-test-{secrets.token_hex(4)}"
    docker("run", "--detach", "--name", name, *options, image, *words)
    try:
        yield RunningContainer(name=name)
    finally:
        docker("rm", "--force", "--volumes", name)


@pytest.fixture(scope="session")
def local_images() -> LocalImages:
    """The images that scripts/build-images has brought into the daemon."""
    try:
        daemon.require_daemon()
    except ServiceMissing as error:
        pytest.skip(error.message)
    folder = workshop_folder()
    if not (folder / "images.json").is_file():
        pytest.skip("no local images were built yet: ./scripts/build-images")
    built = json.loads((folder / "images.json").read_bytes())["images"]
    images = LocalImages(folder=folder, images={image["name"]: image for image in built})
    if missing := [name for name in images.images if not daemon.has(images[name])]:
        pytest.skip(f"the daemon lacks local images ({', '.join(missing)}): ./scripts/build-images")
    return images


@pytest.fixture(scope="session")
def compose(local_images: LocalImages) -> tuple[str, ...]:
    """The words that begin a call of Compose v2."""
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("there is no docker compose, version 2")
    return ("docker", "compose")
