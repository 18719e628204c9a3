"""`devenv up` under devenv's real modules: real servers, adopted where they are ours, and ragbed attaches to them.

Needs `RAGBED_MIRROR` and a real Ollama; `scripts/check-nix` is the command. See `devenv_lab.py` for what is real.
"""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING

import pytest
from devenv_up import REAL, Up, other_ports, started
from nix_command import ROOT

from ragbed.pins import load_stack_pins

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from devenv_lab import Lab

BACKING = ["postgres", "redis", "qdrant", "ollama"]
MADE_LOCK = ROOT / "tests" / "tiny_models" / "models.lock.json"


@pytest.fixture(scope="module")
def made(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """The project with the tiny test models, on ports that are free."""
    return lab.variant(tmp_path_factory.mktemp("made"), lock=MADE_LOCK, ports=other_ports())


@pytest.fixture(scope="module")
def up(made: Lab, real_ollama_program: Path, tiny_models: Path) -> Iterator[Up]:
    """Everything is up, and the RAG API is ready."""
    del real_ollama_program  # in the stand-in already, where there is one
    with started(made, tiny_models) as running:
        running.wait_until_ready("rag-api", timeout_s=240)
        yield running


def test_devenv_up_starts_everything_in_order(up: Up) -> None:
    """The models come before Ollama, and the RAG API after the adoption and the migration."""
    said = "".join(up.said)

    managed = [] if REAL else ["ollama-models: ended with 0", "ollama: ready"]
    marks = [
        "getting 2 models",
        *managed,
        "the schema of default is at",
        *([] if REAL else ["rag-api: ready"]),
    ]
    places = [said.index(mark) for mark in marks]
    assert places == sorted(places)
    assert said.count("Adopted, for this project") == 3


def test_the_models_come_from_the_store(up: Up) -> None:
    """Ollama serves a folder that Nix has made of blobs that were here."""
    folder = up.lab.project / ".devenv" / "state" / "ollama" / "models"

    assert folder.resolve().parent == up.lab.nix.folder / "store"
    assert (folder / "manifests" / "registry.ollama.ai" / "library" / "made-minilm" / "latest").is_file()


@pytest.mark.parametrize("place", ["shell", "elsewhere"])
def test_status_says_who_started_the_services(up: Up, place: str) -> None:
    """In the shell by its environment, in any other terminal by what was announced: attached, started by devenv."""
    run = {"shell": lambda *words: up.shell("ragbed", *words), "elsewhere": up.elsewhere}[place]
    done = run("status", "--json")

    services = json.loads(done.stdout[done.stdout.index("{") :])["services"]
    found = {one["name"]: (one["launcher"], one["started_by"]) for one in services}
    assert {name: found[name] for name in BACKING[:3]} == dict.fromkeys(BACKING[:3], ("attach", "devenv"))


def test_smoke_attaches_to_what_devenv_has_started(up: Up, tmp_path: Path) -> None:
    """A few documents go through the whole way to the index, on the services of `devenv up`."""
    for name in ["alembic-multiple-heads.md"]:
        (tmp_path / name).write_text((ROOT / "docs" / "lessons" / name).read_text())

    done = up.shell("ragbed", "smoke", "--corpus", str(tmp_path), "--stage", "index")

    assert done.returncode == 0, done.stderr
    assert re.search(r"^index +ok .* 1 documents", done.stderr, re.MULTILINE)


def test_the_models_are_verified_against_the_lock(up: Up) -> None:
    """The task compares what Ollama has, digest by digest."""
    done = up.shell("devenv", "tasks", "run", "ragbed:models-verify")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "made-minilm:latest" in done.stdout


def test_a_store_of_somebody_else_is_not_adopted(
    lab: Lab, real_ollama_program: Path, tiny_models: Path, tmp_path: Path
) -> None:
    """Where another Redis has the port, the set-up says whose files it has, and nothing is marked."""
    del real_ollama_program
    ports = other_ports()
    port = ports[load_stack_pins(ROOT / "stack.toml")["redis"].port]
    variant = lab.variant(tmp_path, lock=MADE_LOCK, ports=ports)
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    server = json.loads((lab.nixpkgs / "host.json").read_text())["programs"]["redis-server"]
    foreign = subprocess.Popen(
        [
            server,
            "--port",
            str(port),
            "--bind",
            "127.0.0.1",
            "--dir",
            theirs,
            "--save",
            "",
        ],
        stdout=subprocess.DEVNULL,
    )
    try:
        with started(variant, tiny_models) as running:
            running.wait_for("redis: port", timeout_s=240)
            running.wait_until_ready("postgres", timeout_s=240)
            said = running.shell("devenv", "tasks", "run", "ragbed:adopt")
    finally:
        foreign.terminate()
        foreign.wait(timeout=20)

    assert said.returncode != 0
    taken = next(line for line in running.said if "redis: port" in line)
    # as root devenv runs in a user namespace of its own, which cannot look into this process
    whose = rf"(valkey-server \(pid {foreign.pid}\)|a process that this user cannot see)"
    assert re.search(rf"port {port} is taken by {whose}; stop it, or move", taken)
    assert "services.ragbed.portOffset (this one: services.redis.port)" in taken
    assert f"the redis that answers on port {port} is not the one of this project: it says {theirs}" in (
        said.stdout + said.stderr
    )
