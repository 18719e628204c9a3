"""Where no container can be started: what is said, and what the tiers do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from container_project import ContainerProject, container_project

from ragbed.errors import ExitCode
from ragbed_command import RagbedCommand

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["container_project"]

NONE = {"DOCKER_HOST": "unix:///nonexistent/docker.sock", "MODEL_PROVIDER": "mock"}


@pytest.fixture
def command(tmp_path: Path) -> RagbedCommand:
    """A project on a machine without a daemon."""
    (tmp_path / "project").mkdir()
    return RagbedCommand(state=tmp_path / "state", folder=tmp_path / "project", environ=NONE)


def test_one_line_says_where_it_was_looked_for(command: RagbedCommand) -> None:
    """And what to type."""
    done = command.run("up", "-d", "--launcher", "container")

    assert done.returncode == ExitCode.SERVICE_MISSING
    assert "looked at unix:///nonexistent/docker.sock (DOCKER_HOST)" in done.stderr
    assert "systemctl start docker" in done.stderr
    assert "RAGBED_STACK__LAUNCHER=process" in done.stderr


def test_tier_ci_takes_processes_and_says_so_once(command: RagbedCommand) -> None:
    """The tier's own word is a wish; the stack comes up."""
    done = command.run("up", "-d", APP_ENV="ci")
    launchers = {one["launcher"] for one in command.json("status", APP_ENV="ci")["services"]}
    command.run("down")

    assert (done.returncode, launchers) == (0, {"process"})
    assert done.stderr.count("tier ci takes containers, and there are processes instead") <= 2


@pytest.mark.parametrize(
    "environ",
    [{"APP_ENV": "ci_eval"}, {"APP_ENV": "ci", "RAGBED_STACK__LAUNCHER": "container"}],
    ids=["ci_eval", "asked for"],
)
def test_where_containers_are_required_a_service_is_missing(
    environ: dict[str, str], command: RagbedCommand
) -> None:
    """Tier `ci_eval` and a user who names the launcher want no other."""
    done = command.run("up", "-d", **environ)

    assert done.returncode == ExitCode.SERVICE_MISSING
    assert "cannot start postgres" in done.stderr


def test_an_image_that_cannot_be_pulled_is_named(container_project: ContainerProject, tmp_path: Path) -> None:
    """With its registry, and how to build local images; nothing is left."""
    digest = f"sha256:{'0' * 64}"
    image = f'{{ reference = "127.0.0.1:1/none/redis:8", version = "8.0.2", digest = "{digest}" }}'
    part = tmp_path / "stack.toml"
    part.write_text(f"[services.redis.channels]\nimage = {image}\n", encoding="utf-8")

    words = ("up", "-d", "--launcher", "redis=container")
    done = container_project.command.run(*words, RAGBED_STACK_FILE=str(part))

    assert done.returncode == ExitCode.SERVICE_MISSING
    assert f"cannot be pulled from 127.0.0.1:1: 127.0.0.1:1/none/redis@{digest}" in done.stderr
    assert "./scripts/build-images" in done.stderr
    assert container_project.left() == []
