"""A daemon that goes away while a service is started: one line, and the next command removes what is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from container_project import ContainerProject, container_project
from daemon_proxy import DaemonProxy

from ragbed.errors import ExitCode
from ragbed.stack.launchers.container.daemon import find_daemon

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["container_project"]


@pytest.mark.parametrize("word", [b"/volumes/create", b"/containers/create", b"/start", b"/logs"], ids=repr)
def test_a_daemon_that_dies_half_way_is_told(
    word: bytes, container_project: ContainerProject, tmp_path: Path
) -> None:
    """At whatever request; once it is back, the next command leaves nothing."""
    real = find_daemon().url.removeprefix("unix://")
    path = tmp_path / "d.sock"
    proxy = DaemonProxy(path, real, word)
    words = ("up", "-d", "--launcher", "redis=container")

    done = container_project.command.run(*words, DOCKER_HOST=f"unix://{path}")
    proxy.close()
    back = DaemonProxy(path, real)
    container_project.command.run("status", DOCKER_HOST=f"unix://{path}")
    left = container_project.left()
    back.close()

    assert (proxy.died, done.returncode) == (True, ExitCode.SERVICE_MISSING), done.stderr
    assert f"ragbed: the daemon at unix://{path} stopped answering while redis was started" in done.stderr
    assert "Traceback" not in done.stderr
    assert left == []
