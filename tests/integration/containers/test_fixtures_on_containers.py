"""The fixtures of the pytest plugin on containers, by a flag."""

from __future__ import annotations

import subprocess
import sys

from container_project import ContainerProject, container_project

__all__ = ["container_project"]

TESTS = """
import redis


def test_one(ragbed_stack):
    assert ragbed_stack["redis"].launcher == "container"
    assert ragbed_stack["qdrant"].launcher == "process"
    with redis.Redis.from_url(ragbed_stack["redis"].url) as client:
        assert client.ping()
"""


def test_the_flag_chooses_the_launcher_of_the_fixtures(container_project: ContainerProject) -> None:
    """Workers share one container, which ends with the session."""
    command = container_project.command
    for name in ("test_a.py", "test_b.py"):
        (command.folder / name).write_text(TESTS, encoding="utf-8")
    words = [sys.executable, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider"]

    done = subprocess.run(
        [*words, "--ragbed-launcher", "redis=container"],
        capture_output=True,
        text=True,
        check=False,
        cwd=command.folder,
        env=command.variables(),
        timeout=240,
    )

    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout
    assert container_project.left() == []
