"""Containers that stay between runs: the same ones are taken, two commands at once start one, and they end."""

from __future__ import annotations

from container_project import STORES, ContainerProject, container_project

__all__ = ["container_project"]

SMOKE = ("smoke", "--launcher", "container", "--reuse", "--stage", "stack")


def _ids(project: ContainerProject) -> dict[str, str]:
    return {name: container.id for name, container in project.containers().items()}


def test_the_next_run_takes_the_same_containers_until_down_all(container_project: ContainerProject) -> None:
    """They outlive their run; `down` leaves them, as they are of no stack that is up."""
    command = container_project.command
    assert command.run(*SMOKE).returncode == 0
    first = _ids(container_project)
    assert command.run(*SMOKE).returncode == 0
    command.run("down")

    assert (_ids(container_project), set(first)) == (first, set(STORES))
    assert command.run("down", "--all").returncode == 0
    assert container_project.left() == []


def test_two_commands_at_once_start_one_stack(container_project: ContainerProject) -> None:
    """The second one waits for the first one's start, and takes what that started."""
    command = container_project.command
    with command.popen(*SMOKE) as one, command.popen(*SMOKE) as other:
        said = [process.communicate(timeout=240)[0] for process in (one, other)]

    assert (one.returncode, other.returncode) == (0, 0), said
    assert len(container_project.client.containers.list(**container_project.filters())) == len(STORES)


def test_what_is_too_old_or_does_not_run_is_started_anew(container_project: ContainerProject) -> None:
    """After its age, and after a kill from outside."""
    command = container_project.command
    assert command.run(*SMOKE, RAGBED_STACK__REUSE_FOR_S="1").returncode == 0
    first = _ids(container_project)
    assert command.run(*SMOKE).returncode == 0
    second = _ids(container_project)
    container_project.containers()["redis"].kill()
    assert command.run(*SMOKE).returncode == 0
    third = _ids(container_project)

    assert set(first.values()) & set(second.values()) == set()
    assert {name for name in STORES if second[name] != third[name]} == {"redis"}


def test_another_variable_means_another_container(container_project: ContainerProject) -> None:
    """The key is of all that makes the container what it is, as the limit of connections."""
    command = container_project.command
    assert command.run(*SMOKE).returncode == 0
    assert command.run(*SMOKE, RAGBED_STACK__REDIS_PASSWORD="another").returncode == 0

    found = container_project.client.containers.list(**container_project.filters())
    assert sorted(one.labels["dev.ragbed.service"] for one in found) == [
        "postgres",
        "qdrant",
        "redis",
        "redis",
    ]
