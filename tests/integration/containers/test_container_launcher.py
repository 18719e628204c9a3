"""The launcher `container` on real containers of the local images."""

from __future__ import annotations

import json
import signal
import time

import psycopg
import pytest
import redis
from container_project import STORES, ContainerProject, container_project, local_pins

from ragbed.errors import ExitCode
from ragbed_command import killed_after

__all__ = ["container_project"]

UP = ("up", "-d", "--launcher", "container")


def test_a_stack_of_containers_comes_up_and_leaves_nothing(container_project: ContainerProject) -> None:
    """Image, digest and container are told; ports are this machine's alone; memory and labels are as said."""
    done = container_project.command.run(*UP)
    assert done.returncode == 0, done.stderr
    status = container_project.command.json("status")
    services = {one["name"]: one for one in status["services"]}
    pins = local_pins().read_text(encoding="utf-8")

    assert {name: services[name]["launcher"] for name in STORES} == dict.fromkeys(STORES, "container")
    assert {one["state"] for one in services.values()} == {"ready"}
    for name, container in container_project.containers().items():
        told = services[name]["provenance"]
        assert (told["channel"], told["container"]) == ("image", container.id[:12])
        assert told["digest"] in pins
        assert container.attrs["Config"]["Image"].endswith(f"@{told['digest']}")
        assert container.labels["dev.ragbed.stack"] == status["stack"]
        assert container.labels["dev.ragbed.project"] == status["project"]["id"]
        bound = [port for ports in container.ports.values() for port in ports or ()]
        assert {port["HostIp"] for port in bound} == {"127.0.0.1"}
        assert container.attrs["HostConfig"]["Memory"] >= 256 * 2**20
    assert container_project.command.run("down").returncode == 0
    assert container_project.left() == []


def test_a_password_is_neither_in_arguments_nor_in_variables(container_project: ContainerProject) -> None:
    """Every user of the machine sees a process's arguments; `docker inspect` shows both."""
    assert container_project.command.run(*UP).returncode == 0
    urls = container_project.command.urls()
    passwords = [urls[name].split("@")[0].rpartition(":")[2] for name in ("DATABASE_URL", "REDIS_URL")]

    shown = json.dumps([one.attrs for one in container_project.containers().values()])

    assert [password for password in passwords if password in shown] == []


def test_logs_are_those_of_the_containers_and_outlive_them(container_project: ContainerProject) -> None:
    """While they run, and after they have gone."""
    assert container_project.command.run(*UP).returncode == 0

    running = container_project.command.run("logs", "-n", "50", "postgres").stdout
    container_project.command.run("down")
    ended = container_project.command.run("logs", "-n", "50", "postgres").stdout

    assert "ready to accept connections" in running
    assert "shut down" in ended


def test_logs_of_containers_are_followed(container_project: ContainerProject) -> None:
    """A line shows as it is written."""
    assert container_project.command.run(*UP).returncode == 0
    with (
        container_project.command.popen("logs", "-f", "-n", "1", "postgres") as process,
        killed_after(process, 60),
    ):
        assert process.stdout is not None
        process.stdout.readline()
        with psycopg.connect(container_project.command.urls()["DATABASE_URL"], autocommit=True) as connection:
            connection.execute("DO $$ BEGIN RAISE LOG 'a line of this test'; END $$")
        while "a line of this test" not in (line := process.stdout.readline()):
            assert line
        process.send_signal(signal.SIGINT)


def test_a_container_that_died_is_started_again_on_its_data_and_port(
    container_project: ContainerProject,
) -> None:
    """Status says that it is dead; what it had acknowledged is there afterwards."""
    command = container_project.command
    assert command.run(*UP).returncode == 0
    url = command.urls()["REDIS_URL"]
    with redis.Redis.from_url(url) as client:
        client.set("kept", "yes")
    container_project.containers()["redis"].kill()

    status = command.run("status")
    again = command.run("up", "-d")

    assert (status.returncode, again.returncode) == (ExitCode.SERVICE_MISSING, 0), again.stderr
    assert "dead" in status.stdout
    assert command.urls()["REDIS_URL"] == url
    with redis.Redis.from_url(url) as client:
        assert client.get("kept") == b"yes"


def test_kept_data_is_found_by_the_next_stack(container_project: ContainerProject) -> None:
    """In its volume, which `ragbed reset` removes; a process does not take it for its own."""
    command = container_project.command
    assert command.run(*UP, "--keep").returncode == 0
    with psycopg.connect(command.urls()["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS seven")
    command.run("down")

    as_process = command.run("up", "-d", "--keep")
    again = command.run(*UP, "--keep")
    with psycopg.connect(command.urls()["DATABASE_URL"]) as connection:
        row = connection.execute("SELECT seven FROM kept").fetchone()
    command.run("reset", "--yes")

    assert (as_process.returncode, again.returncode, row) == (ExitCode.SERVICE_MISSING, 0, (7,))
    assert "is in a container's volume" in as_process.stderr
    assert container_project.left() == []


def test_one_service_is_a_container_and_the_others_are_processes(container_project: ContainerProject) -> None:
    """As `--launcher SERVICE=NAME` says."""
    done = container_project.command.run("up", "-d", "--launcher", "redis=container")
    services = container_project.command.json("status")["services"]

    assert done.returncode == 0, done.stderr
    assert {one["name"]: one["launcher"] for one in services if one["launcher"] == "container"} == {
        "redis": "container"
    }


def test_the_smoke_test_passes_on_containers(container_project: ContainerProject) -> None:
    """Every stage, on a stack of its own that ends with it; the report says what ran."""
    done = container_project.command.run("smoke", "--launcher", "container", "--json", timeout_s=240)
    report = json.loads(done.stdout)

    assert (done.returncode, report["ok"]) == (0, True), done.stderr
    told = {one["name"]: one["provenance"] for one in report["services"]}
    assert {told[name]["channel"] for name in STORES} == {"image"}
    assert all(told[name]["digest"] and told[name]["container"] for name in STORES)
    assert container_project.left() == []


@pytest.mark.parametrize("after_s", [0.5, 1.5, 3.0])
def test_what_a_killed_command_leaves_goes_with_the_next(
    after_s: float, container_project: ContainerProject
) -> None:
    """Containers, network and volumes of a start that was killed."""
    with container_project.command.popen("up", "--launcher", "container") as process:
        time.sleep(after_s)  # a moment of the start, whatever that is doing
        process.kill()

    container_project.command.run("status")

    assert container_project.left() == []


def test_a_container_that_dies_under_a_foreground_stack_is_started_again(
    container_project: ContainerProject,
) -> None:
    """`ragbed up` says which one died, and has it again."""
    with (
        container_project.command.popen("up", "--launcher", "redis=container") as process,
        killed_after(process, 240),
    ):
        assert process.stdout is not None
        said = iter(process.stdout.readline, "")
        assert any("Ctrl-C stops the stack" in line for line in said)
        container_project.containers()["redis"].kill()

        assert any("redis" in line and "died" in line for line in said)
        assert any("redis" in line and "ready" in line for line in said)
        process.send_signal(signal.SIGINT)

    assert container_project.left() == []
