"""A project whose services are containers of the local images, and what a daemon has of it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ragbed.errors import ServiceMissing
from ragbed.stack.launchers.container.daemon import find_daemon
from ragbed_command import RagbedCommand

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[3]
STORES = ("postgres", "redis", "qdrant")


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerProject:
    """A project, and the daemon that runs its containers.

    Attributes:
        command: Runs `ragbed` there.
        client: docker-py's client.
    """

    command: RagbedCommand
    client: Any

    def containers(self) -> dict[str, Any]:
        """Return its containers by service, those that have ended too."""
        found = self.client.containers.list(all=True, ignore_removed=True, **self.filters())
        return {one.labels["dev.ragbed.service"]: one for one in found}

    def left(self) -> list[str]:
        """Return what the daemon has of it: containers, networks, volumes."""
        found = [
            *self.client.containers.list(all=True, ignore_removed=True, **self.filters()),
            *self.client.networks.list(**self.filters()),
            *self.client.volumes.list(**self.filters()),
        ]
        return [f"{type(one).__name__} {one.name}" for one in found]

    def filters(self) -> dict[str, Any]:
        """Return docker-py's filter for what carries this project's label."""
        return {"filters": {"label": f"dev.ragbed.state={self.command.state}"}}


def local_pins() -> Path:
    """Return the part of `stack.toml` with the local images, or skip the test and say why."""
    tools = Path(os.environ.get("RAGBED_TOOLS_DIR") or ROOT / ".ragbed" / "tools")
    part = tools / "images" / "stack.toml"
    if not part.is_file():
        pytest.skip("no local images were built yet: ./scripts/build-images")
    return part


@pytest.fixture
def container_project(tmp_path: Path) -> Iterator[ContainerProject]:
    """A project on the local images; its stack is taken down after the test."""
    try:
        daemon = find_daemon()
    except ServiceMissing as error:
        pytest.skip(error.message)
    environ = {"RAGBED_STACK_FILE": str(local_pins()), "MODEL_PROVIDER": "mock"}
    (tmp_path / "project").mkdir()
    command = RagbedCommand(state=tmp_path / "state", folder=tmp_path / "project", environ=environ)
    project = ContainerProject(command=command, client=daemon.client)
    yield project
    command.run("down", "--all")
    command.run("reset", "--yes")
