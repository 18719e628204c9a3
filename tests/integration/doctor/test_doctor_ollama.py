"""The doctor beside a real Ollama with the tiny test models."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from doctor_run import CHECKOUT, Machine

from ragbed.errors import ExitCode
from ragbed.pins import load_model_lock
from tiny_models.serving import wait_until_unloaded

if TYPE_CHECKING:
    from pathlib import Path

LOCK = CHECKOUT / "tests" / "tiny_models" / "models.lock.json"
EMBEDDING = "made-minilm:latest"


def ask(url: str, body: dict[str, object]) -> None:
    """Send an embedding request and wait for its end."""
    request = urllib.request.Request(f"{url}/api/embed", json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=120) as answer:
        answer.read()


@pytest.fixture
def made(machine: Machine, real_ollama: str) -> Machine:
    """A machine whose settings name a real Ollama and the lock of its models."""
    machine.environ.update(RAGBED_MODELS_LOCK=str(LOCK), OLLAMA_HOST=real_ollama)
    return machine


def test_a_live_ollama_with_the_pinned_models_is_right(made: Machine, real_ollama: str) -> None:
    """The service, and each wanted model by the digest that the server tells."""
    seen = made.run()

    assert seen["ollama"]["state"] == "ok"
    assert f"at {real_ollama}, found by OLLAMA_HOST" in seen["ollama"]["seen"]
    assert seen[EMBEDDING]["state"] == "ok"
    assert f"at {real_ollama}" in seen[EMBEDDING]["seen"]


def test_a_model_that_is_not_loaded_has_no_fingerprint(made: Machine, real_ollama: str) -> None:
    """It is left alone, and what loads it is said."""
    ask(real_ollama, {"model": EMBEDDING, "input": "", "keep_alive": 0})
    wait_until_unloaded(real_ollama, EMBEDDING)

    seen = made.run()

    assert seen["fingerprint"]["state"] == "note"
    assert seen["fingerprint"]["hint"] == "ragbed doctor --fingerprint"


def test_the_fingerprint_of_a_live_model_comes_out_again(made: Machine) -> None:
    """With --fingerprint the model is loaded and compared; a machine of another kind has no record."""
    seen = made.run("--fingerprint")

    assert seen["fingerprint"]["state"] in {"ok", "note"}
    assert EMBEDDING in seen["fingerprint"]["seen"]
    assert "not loaded" not in seen["fingerprint"]["seen"]
    assert seen.code == ExitCode.FINE


def test_a_live_model_behind_another_digest_is_drift(made: Machine, tmp_path: Path) -> None:
    """The lock means other bytes than the server has."""
    lock = load_model_lock(LOCK)
    right = lock[EMBEDDING]
    manifest = replace(right.manifest, newline=not right.manifest.newline)
    other = lock.with_pin(replace(right, manifest=manifest, digest=manifest.digest))
    (tmp_path / "models.lock.json").write_text(other.encode())

    seen = made.run(RAGBED_MODELS_LOCK=str(tmp_path / "models.lock.json"))

    assert (seen.code, seen[EMBEDDING]["state"]) == (ExitCode.DRIFT, "drift")
    assert f"has {right.digest[7:19]}, pinned {manifest.digest[7:19]}" in seen[EMBEDDING]["seen"]
