"""The compose file with local images: up, seeded, and the smoke test on what runs."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from local_containers import LocalImages, docker

from ragbed.containers.composed import containers_of, wait_until_well
from ragbed.containers.workshop import CHECKOUT
from ragbed.errors import ServiceMissing, ServiceNotReady

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ragbed_command import RagbedCommand

PORTS = ("POSTGRES", "REDIS", "QDRANT", "OLLAMA", "MOCK_LLM", "APP", "POSTGRES_TEST", "REDIS_TEST")


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A compose project of a test, on free ports."""

    name: str
    words: tuple[str, ...]
    environ: dict[str, str]

    def run(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Call compose."""
        done = subprocess.run(
            [*self.words, *words], capture_output=True, text=True, check=False, env=self.environ, timeout=280
        )
        assert not (check and done.returncode), done.stderr
        return done


@pytest.fixture
def project(
    compose: tuple[str, ...], local_images: LocalImages, tmp_path: Path
) -> Iterator[Callable[[str], Project]]:
    """Makes a project of one profile; it is taken down with its volumes."""
    override = tmp_path / "compose.local.yaml"
    words = [sys.executable, "-m", "ragbed", "compose", "--images", "local", "--output", str(override)]
    subprocess.run(
        words,
        check=True,
        cwd=tmp_path,
        env={**os.environ, "RAGBED_TOOLS_DIR": str(local_images.folder.parent)},
    )
    made: list[Project] = []

    def make(profile: str) -> Project:
        name = f"ragbed-test-{secrets.token_hex(4)}"
        files = ("--file", str(CHECKOUT / "compose.yaml"), "--file", str(override))
        free = {f"RAGBED_{port}_PORT": "0" for port in PORTS}  # Docker takes a free one
        made.append(
            Project(
                name=name,
                words=(*compose, "--project-name", name, *files, "--profile", profile),
                environ={**os.environ, **free, "RAGBED_RECORDINGS": str(tmp_path)},
            )
        )
        return made[-1]

    yield make
    for one in made:
        one.run("down", "--volumes", "--timeout", "2")


def test_mock_profile_is_seeded_and_the_smoke_test_passes_on_it(
    project: Callable[[str], Project], ragbed: RagbedCommand
) -> None:
    """Up, seed, smoke: the smoke test attaches to the containers, and starts no store of its own."""
    up = project("mock")
    up.run("up", "--wait")

    seeded = subprocess.run(
        [sys.executable, "-m", "ragbed.containers.seeding", "--project", up.name],
        capture_output=True,
        text=True,
        check=False,
        cwd=ragbed.folder,
        env=ragbed.variables(),
    )
    assert not seeded.returncode, seeded.stderr
    report = ragbed.json("smoke", RAGBED_STACK__DEFAULT_PORTS="true")  # what was announced is looked for, too

    assert report["ok"], report
    launchers = {service["name"]: service["launcher"] for service in report["services"]}
    assert {launchers[store] for store in ("postgres", "redis", "qdrant")} == {"attach"}, report["notes"]


def test_app_of_compose_answers_from_outside(project: Callable[[str], Project]) -> None:
    """The app adopted the stores that compose created, migrated, and serves on the published port."""
    up = project("mock")
    up.run("up", "--wait")

    app = containers_of(up.name)["app-mock"]

    assert app.health == "healthy"
    assert app.ports[3000]


def test_profile_test_has_no_volume(project: Callable[[str], Project]) -> None:
    """Stores of the profile `test` are in memory: nothing is left of them."""
    up = project("test")
    up.run("up", "--wait")

    assert set(containers_of(up.name)) == {"postgres-test", "redis-test", "mock-llm"}
    assert not docker("volume", "ls", "--quiet", "--filter", f"name={up.name}_postgres").stdout


def test_waiting_ends_with_the_event_that_all_are_well(project: Callable[[str], Project]) -> None:
    """Seeding waits for containers that are still starting, without asking again and again."""
    up = project("test")
    up.run("up", "--detach")

    containers = wait_until_well(up.name, timeout_s=120)

    assert all(one.health == "healthy" for one in containers.values())


def test_container_that_fails_ends_the_waiting(project: Callable[[str], Project]) -> None:
    """One that has ended is named, with where to read why."""
    up = project("test")
    up.run("up", "--detach")
    docker("kill", f"{up.name}-redis-test-1")

    with pytest.raises(ServiceNotReady, match=r"failed: redis-test") as caught:
        wait_until_well(up.name, timeout_s=120)

    assert caught.value.hint == "docker compose logs redis-test"


def test_project_without_containers_is_said(local_images: LocalImages) -> None:
    """What is to be typed first is named."""
    del local_images
    with pytest.raises(ServiceMissing, match="the compose project nothing-here has no containers"):
        wait_until_well("nothing-here", timeout_s=5)
