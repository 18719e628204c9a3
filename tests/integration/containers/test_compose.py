"""The compose file with local images: up, seeded, and the smoke test on what runs."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from local_containers import LocalImages, docker

from ragbed.containers.composed import containers_of, wait_until_well
from ragbed.containers.workshop import CHECKOUT
from ragbed.errors import ServiceMissing, ServiceNotReady
from tiny_models.models import LOCK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ragbed_command import RagbedCommand

QUESTION = "Why does Postgres refuse to start as root?"
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


def post(url: str, **body: str) -> dict[str, Any]:
    """Send JSON, and return what is answered."""
    asked = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=60) as answer:
        return dict(json.load(answer))


def seed(project: Project, ragbed: RagbedCommand, *words: str, **environ: str) -> None:
    """Run scripts/seed on a project, for the state folder of a test."""
    done = subprocess.run(
        [sys.executable, "-m", "ragbed.containers.seeding", "--project", project.name, *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=ragbed.folder,
        env=ragbed.variables(**environ),
    )
    assert not done.returncode, done.stderr


@pytest.fixture
def project(
    compose: tuple[str, ...], local_images: LocalImages, tmp_path: Path
) -> Iterator[Callable[..., Project]]:
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

    def make(profile: str, *more: Path) -> Project:
        name = f"ragbed-test-{secrets.token_hex(4)}"
        files = [
            word for file in (CHECKOUT / "compose.yaml", override, *more) for word in ("--file", str(file))
        ]
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
    project: Callable[..., Project], ragbed: RagbedCommand
) -> None:
    """Up, seed, smoke: the smoke test attaches to the containers, and starts no store of its own."""
    up = project("mock")
    up.run("up", "--wait")  # with the RAG API, after the set-up service has ended
    containers = containers_of(up.name)
    assert (containers["setup-mock"].state, containers["app-mock"].health) == ("exited", "healthy")

    seed(up, ragbed)
    report = ragbed.json("smoke", RAGBED_STACK__DEFAULT_PORTS="true")  # what was announced is looked for, too

    assert report["ok"], report
    launchers = {service["name"]: service["launcher"] for service in report["services"]}
    assert {launchers[store] for store in ("postgres", "redis", "qdrant")} == {"attach"}, report["notes"]
    asked = post(f"http://127.0.0.1:{containers['app-mock'].ports[3000]}/api/retrieve", question=QUESTION)
    assert asked["passages"], asked


def test_live_profile_has_a_real_ollama(
    project: Callable[..., Project], ragbed: RagbedCommand, tiny_models: Path, tmp_path: Path
) -> None:
    """With models mounted read-only, the smoke test passes on containers alone."""
    more = tmp_path / "models.yaml"
    more.write_text(
        f"services: {{ollama: {{environment: {{OLLAMA_NOPRUNE: '1'}}, volumes: ['{tiny_models}:/models:ro']}}}}"
    )
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "one.md").write_text("# One\n\nA document.\n")
    live = {"MODEL_PROVIDER": "ollama", "RAGBED_MODELS_LOCK": str(LOCK)}
    up = project("live", more)
    up.run("up", "--wait", "postgres", "redis", "qdrant", "ollama")

    seed(up, ragbed, str(documents), **live)
    report = ragbed.json("smoke", RAGBED_STACK__DEFAULT_PORTS="true", **live)

    assert report["ok"], report
    services = {service["name"]: (service["launcher"], service["product"]) for service in report["services"]}
    assert services["ollama"] == ("attach", "ollama")


def test_profile_test_is_waited_for_and_has_no_volume(project: Callable[..., Project]) -> None:
    """Seeding waits for the daemon's word that all are healthy; stores of this profile are in memory."""
    up = project("test")
    up.run("up", "--detach")

    containers = wait_until_well(up.name, timeout_s=120)

    assert {name: one.health for name, one in containers.items()} == {
        "postgres-test": "healthy",
        "redis-test": "healthy",
        "mock-llm": "healthy",
    }
    assert not docker("volume", "ls", "--quiet", "--filter", f"name={up.name}_postgres").stdout


def test_container_that_fails_ends_the_waiting(project: Callable[..., Project]) -> None:
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
