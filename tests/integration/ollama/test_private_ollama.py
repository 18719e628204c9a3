"""The launcher `process` on a real Ollama: ready means loaded, and nothing is left of it, however it ends."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import psutil
import pytest

from processes_left import left_of
from ragbed.errors import ServiceNotReady
from ragbed.models.layout import manifests_in
from ragbed.pins import load_stack_pins
from ragbed.settings import Settings, resolve_settings
from ragbed.stack import running_stack
from ragbed.stack.binaries import ask_version
from ragbed.stack.leases import Leases
from ragbed.stack.ownership import TOKEN_VARIABLE
from ragbed.stack.processes import ProcessIdentity, stop
from ragbed.state import StateFolder

if TYPE_CHECKING:
    from http.server import HTTPServer

    from ragbed_command import RagbedCommand


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    """A state folder."""
    return StateFolder(tmp_path / "state")


@pytest.fixture
def settings(ollama_environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings that want the tiny test models, in a process that finds them."""
    for name, value in ollama_environ.items():
        monkeypatch.setenv(name, value)
    return resolve_settings(folder=tmp_path, overrides={"stack.default_ports": False})


def loaded(url: str) -> set[str]:
    """Return the models that an Ollama has in memory."""
    with urlopen(f"{url}/api/ps", timeout=10) as answer:
        return {model["name"] for model in json.load(answer)["models"]}


def ollamas_of(state: Path) -> list[psutil.Process]:
    """Return servers and runners that carry the token of one of a state folder's leases."""
    tokens = {lease.token for lease in Leases(StateFolder(state)).all() if lease.service == "ollama"}
    return [process for process in psutil.process_iter() if _token(process) in tokens]


def _token(process: psutil.Process) -> str:
    try:
        return str(process.environ().get(TOKEN_VARIABLE))
    except (psutil.Error, OSError):
        return ""


def endpoint_of(command: RagbedCommand) -> dict[str, Any]:
    """Return the Ollama of the stack that is up."""
    services = command.json("status")["services"]
    found: dict[str, Any] = next(one for one in services if one["service"] == "ollama")
    return found


def test_ready_means_that_the_models_are_loaded(settings: Settings, folder: StateFolder) -> None:
    """When the stack is up, both models are in memory: the first request waits for nothing."""
    with running_stack(settings, folder=folder, services=["ollama"], private=True) as stack:
        assert stack["ollama"].real
        assert loaded(stack["ollama"].url) == {"made-minilm:latest", "made-tiny:latest"}


def test_nothing_of_it_is_left(settings: Settings, folder: StateFolder) -> None:
    """Server and runners end with the stack."""
    with running_stack(settings, folder=folder, services=["ollama"], private=True):
        running = ollamas_of(folder.root)

    assert len(running) == 3
    assert left_of(running, within_s=0) == []


def test_runners_of_a_killed_server_are_ended(settings: Settings, folder: StateFolder) -> None:
    """A server that ends by kill -9 leaves its runners; the end of the stack finds them by the token they carry."""
    with running_stack(settings, folder=folder, services=["ollama"], private=True) as stack:
        running = ollamas_of(folder.root)
        server = psutil.Process(stack["ollama"].pid)
        stop(ProcessIdentity.of(server.pid), gentle=signal.SIGKILL, alone=True)
        assert len(left_of(running, within_s=0)) == 2

    assert left_of(running, within_s=0) == []


def test_a_killed_stack_is_reaped_with_its_runners(ragbed_ollama: RagbedCommand) -> None:
    """The command of the stack and the server are killed; the next command leaves no process of them."""
    with ragbed_ollama.popen("up") as up:
        assert up.stdout
        next(line for line in up.stdout if line.startswith("Up."))
        running = ollamas_of(ragbed_ollama.state)
        server = endpoint_of(ragbed_ollama)["pid"]
        up.kill()
        stop(ProcessIdentity.of(server), gentle=signal.SIGKILL, alone=True)

    ragbed_ollama.run("down", "--all")

    assert len(running) == 3
    assert left_of(running, within_s=0) == []


def test_a_models_folder_may_be_named_from_here(
    settings: Settings, folder: StateFolder, tiny_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative OLLAMA_MODELS means the same for the server, which runs in another folder."""
    monkeypatch.chdir(tiny_models.parent)
    monkeypatch.setenv("OLLAMA_MODELS", tiny_models.name)

    with running_stack(settings, folder=folder, services=["ollama"], private=True) as stack:
        assert loaded(stack["ollama"].url)


def test_a_model_that_does_not_load_is_named(
    settings: Settings,
    folder: StateFolder,
    tiny_models: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Weights that are cut short: the start fails, says which model, and leaves nothing."""
    broken = tmp_path / "broken"
    shutil.copytree(tiny_models, broken)
    weights = max((broken / "blobs").iterdir(), key=lambda blob: blob.stat().st_size)
    weights.write_bytes(weights.read_bytes()[:100_000])
    monkeypatch.setenv("OLLAMA_MODELS", str(broken))

    with (
        pytest.raises(ServiceNotReady, match="made-minilm:latest cannot be loaded"),
        running_stack(settings, folder=folder, services=["ollama"], private=True),
    ):
        pass

    assert list(Leases(folder).all()) == []


def test_the_store_of_ragbed_is_served_as_it_is(ragbed_ollama: RagbedCommand, tiny_models: Path) -> None:
    """Fetched, laid out read-only and served: preferred to the user's folder, verified, and not written to."""
    assert ragbed_ollama.run("models", "fetch", "--from", str(tiny_models)).returncode == 0
    store = Path(ragbed_ollama.run("models", "store").stdout.strip())
    before = {path: path.stat().st_mtime_ns for path in store.rglob("*")}

    assert ragbed_ollama.run("up", "-d").returncode == 0
    ollama = endpoint_of(ragbed_ollama)
    verified = ragbed_ollama.run("models", "verify")

    assert str(store) in ollama["origin"]
    assert (verified.returncode, ollama["url"] in verified.stdout) == (0, True), verified.stderr
    assert {name for name, _ in manifests_in(store)} == loaded(ollama["url"])
    assert {path: path.stat().st_mtime_ns for path in store.rglob("*")} == before


def test_the_version_is_the_programs_own(
    real_ollama_program: Path, old_server: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`ollama --version` tells the version of the server that it reaches; asked by us it reaches none."""
    monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{old_server.server_port}")

    assert load_stack_pins()["ollama"].accepts("ollama", ask_version(real_ollama_program))
