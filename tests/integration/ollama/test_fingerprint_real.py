"""Fingerprints on a real Ollama: what is the same, and planted drift."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from ollama import Client

from ragbed.errors import ExitCode
from ragbed.models.fingerprint import (
    Fingerprint,
    FingerprintFile,
    StoredVector,
    check_fingerprint,
    fingerprints_path,
    load_fingerprints,
    record_fingerprint,
)
from ragbed.settings import Settings, resolve_settings
from tiny_models.models import LOCK
from tiny_models.serving import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ragbed_command import RagbedCommand

EMBEDS, CHATS = "made-minilm:latest", "made-tiny:latest"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """One thread: Ollama's threads spin where other processes want the cores."""
    environ = {"RAGBED_LLM__NUM_THREAD": "1"}
    return resolve_settings(environ=environ, folder=tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def known(real_ollama: str, settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> FingerprintFile:
    """What was recorded of both models a moment ago."""
    file = FingerprintFile(path=tmp_path_factory.mktemp("file") / "models.fingerprints.json")
    for model in (EMBEDS, CHATS):
        file, _ = record_fingerprint(real_ollama, model, known=file, settings=settings)
    return file


@pytest.fixture
def own_ollama(real_ollama_program: Path, tiny_models: Path, tmp_path: Path) -> Iterator[str]:
    """The URL of a real Ollama on a copy of the models, to be changed at will."""
    shutil.copytree(tiny_models, tmp_path / "models", symlinks=False)
    for folder in (tmp_path / "models").rglob("**/"):
        folder.chmod(0o755)
    with serving(real_ollama_program, tmp_path / "models", tmp_path / "home") as url:
        yield url


def embedded(known: FingerprintFile) -> Fingerprint:
    """Return the recorded fingerprint of the embedding model."""
    return next(one for one in known.fingerprints if one.purpose == "embedding")


def with_marks(
    known: FingerprintFile, change: Callable[[StoredVector], StoredVector], **setup: str
) -> FingerprintFile:
    """Return a file in which the embedding model had other vectors, of another setup where one is given."""
    now = embedded(known)
    marks = {name: change(mark) for name, mark in now.marks.items()}
    return replace(known, fingerprints=(replace(now, marks=marks, setup=replace(now.setup, **setup)),))


def rotated(mark: StoredVector) -> StoredVector:
    """Turn a vector: each number goes to the next place."""
    return StoredVector.of([*mark.direction[1:], mark.direction[0]])


def scaled(mark: StoredVector) -> StoredVector:
    """Make a vector twice as long."""
    return StoredVector.of([2 * number for number in mark.direction])


@pytest.mark.parametrize("model", [EMBEDS, CHATS])
def test_the_same_model_gives_the_same_again(
    real_ollama: str, settings: Settings, known: FingerprintFile, model: str
) -> None:
    """Vectors of no distance, and the same greedy answers."""
    verdict = check_fingerprint(real_ollama, model, known=known, settings=settings)

    assert (verdict.kind, set(verdict.distances.values())) == ("same", {0.0} if model == EMBEDS else set())


def test_a_second_server_gives_the_same(own_ollama: str, settings: Settings, known: FingerprintFile) -> None:
    """Another process, another folder, the same bytes."""
    assert check_fingerprint(own_ollama, EMBEDS, known=known, settings=settings).kind == "same"


def test_another_model_behind_the_name_is_drift(
    own_ollama: str, settings: Settings, known: FingerprintFile
) -> None:
    """The same weights in eight bits under the old name: the digest tells what changed, the distances how much."""
    with Client(own_ollama, timeout=300) as client:
        client.create(EMBEDS, from_=EMBEDS, quantize="q8_0")

    verdict = check_fingerprint(own_ollama, EMBEDS, known=known, settings=settings)

    assert (verdict.kind, verdict.fails) == ("drift", True)
    assert [change.split()[0] for change in verdict.changes] == ["digest"]
    assert all(1e-5 < (distance or 0) < 1e-2 for distance in verdict.distances.values())


@pytest.mark.parametrize("change", [rotated, scaled])
def test_other_vectors_of_the_same_setup_are_drift(
    real_ollama: str,
    settings: Settings,
    known: FingerprintFile,
    change: Callable[[StoredVector], StoredVector],
) -> None:
    """Nothing that can be seen from outside changed, and that is said."""
    verdict = check_fingerprint(real_ollama, EMBEDS, known=with_marks(known, change), settings=settings)

    assert verdict.fails
    assert verdict.line.endswith("digest, runtime and backend are as recorded")


@pytest.mark.parametrize(
    "setup",
    [{"runtime": "ollama 0.23.0"}, {"backend": "gpu darwin-arm64"}],
    ids=["runtime", "backend"],
)
def test_other_vectors_of_another_setup_name_what_changed(
    real_ollama: str, settings: Settings, known: FingerprintFile, setup: dict[str, str]
) -> None:
    """The digest is the same: the runtime, or what it computes on, made the difference."""
    (what,) = setup

    verdict = check_fingerprint(
        real_ollama, EMBEDS, known=with_marks(known, rotated, **setup), settings=settings
    )

    assert verdict.fails
    (change,) = verdict.changes
    assert change.startswith(f"{what} ")
    assert change.endswith(f"recorded {setup[what]}")


def test_the_same_vectors_of_another_runtime_are_no_drift(
    real_ollama: str, settings: Settings, known: FingerprintFile
) -> None:
    """Nobody recorded this runtime; the nearest one gave the same."""
    older = with_marks(known, lambda mark: mark, runtime="ollama 0.23.0")

    verdict = check_fingerprint(real_ollama, EMBEDS, known=older, settings=settings)

    assert (verdict.kind, verdict.fails) == ("unknown", False)
    assert "11 canaries gave the recorded vectors" in verdict.line


def test_another_answer_is_advisory(real_ollama: str, settings: Settings, known: FingerprintFile) -> None:
    """It shows from where the answers differ, and fails nothing."""
    now = next(one for one in known.fingerprints if one.purpose == "chat")
    other = replace(now, answers={**now.answers, "facts": "Winter, autumn, summer, spring."})

    verdict = check_fingerprint(
        real_ollama, CHATS, known=replace(known, fingerprints=(other,)), settings=settings
    )

    assert (verdict.kind, verdict.fails) == ("drift", False)
    assert [line for line in verdict.details if line.startswith("facts: from character 1 ")] != []


@pytest.mark.parametrize("model", [EMBEDS, CHATS])
def test_what_is_committed_still_holds(real_ollama: str, settings: Settings, model: str) -> None:
    """The made models give what was recorded on another machine, by a build of the same version."""
    committed = load_fingerprints(fingerprints_path(LOCK))

    verdict = check_fingerprint(real_ollama, model, known=committed, settings=settings)

    assert verdict.recorded is not None
    assert not verdict.fails, verdict.details


def test_drift_ends_the_smoke_run_at_its_start(
    ragbed: RagbedCommand, real_ollama: str, known: FingerprintFile
) -> None:
    """Exit code 11 in the stage `fingerprint`, with the distances, before anything is embedded."""
    lock = ragbed.folder / "models.lock.json"
    shutil.copyfile(LOCK, lock)
    replace(with_marks(known, rotated), path=fingerprints_path(lock)).write()
    environ = {
        "RAGBED_MODELS_LOCK": str(lock),
        "RAGBED_EMBEDDING__MODEL": EMBEDS,
        "RAGBED_LLM__MODEL": CHATS,
        "RAGBED_LLM__NUM_THREAD": "1",
    }

    done = ragbed.run("smoke", "--json", OLLAMA_HOST=real_ollama, **environ)

    failure = json.loads(done.stdout)["failure"]
    assert (done.returncode, failure["stage"]) == (ExitCode.DRIFT, "fingerprint")
    assert any(line.startswith("short: cosine distance ") for line in failure["details"])
