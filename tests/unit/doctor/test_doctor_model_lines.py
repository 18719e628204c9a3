"""The models' lines: where each wanted model is, by digest, and what moved."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ragbed.doctor.fingerprints import judge_fingerprint, take_fingerprints
from ragbed.doctor.model_findings import judge_models
from ragbed.doctor.models import ModelFacts, Place
from ragbed.doctor.probing import Failed, Silent
from ragbed.errors import EmbeddingFailed, PinFileError
from ragbed.pins import load_model_lock

if TYPE_CHECKING:
    from ragbed.doctor import Finding

LOCK = load_model_lock(Path(__file__).resolve().parents[3] / "models.lock.json")
EMBEDDING, CHAT = "all-minilm:latest", "qwen2.5:0.5b"
OTHER = "llama3.1:8b"
PINNED = {name: pin.digest for name, pin in LOCK.models.items()}
MOVED = "sha256:" + "ab" * 32
STORE = Place(name="the laid-out small", digests={name: PINNED[name] for name in (EMBEDDING, CHAT)})
LIVE = Place(
    name="Ollama 0.24.0 at http://127.0.0.1:11434", digests={EMBEDDING: PINNED[EMBEDDING]}, url="http://x"
)
FACTS = ModelFacts(lock=LOCK, wanted=(EMBEDDING, CHAT), needed=False, places=(STORE,), embedding=EMBEDDING)


def lines(facts: ModelFacts) -> dict[str, Finding]:
    """Return the findings by topic."""
    return {finding.topic: finding for finding in judge_models(facts)}


def test_a_wanted_model_is_said_with_every_place_that_has_it() -> None:
    """Its digest is the pinned one there."""
    found = lines(replace(FACTS, places=(STORE, LIVE)))[EMBEDDING]

    assert (found.state, found.hint, found.value) == ("ok", "", "1b226e2802db")
    assert found.seen == f"1b226e2802db, as pinned, in {STORE.name} and {LIVE.name}"


def test_wanted_models_that_are_nowhere_share_one_command() -> None:
    """Without a real Ollama that is not a fault."""
    found = lines(replace(FACTS, places=()))

    assert {found[name].state for name in (EMBEDDING, CHAT)} == {"note"}
    assert {found[name].hint for name in (EMBEDDING, CHAT)} == {
        f"ragbed models fetch --model {EMBEDDING} --model {CHAT}"
    }
    assert found[EMBEDDING].seen == "not here (46 MB); only a real Ollama needs it"


def test_a_needed_model_that_is_nowhere_is_missing() -> None:
    """A real Ollama was asked for."""
    found = lines(replace(FACTS, places=(), needed=True))

    assert found[CHAT].state == "missing"


def test_a_tag_that_moved_is_drift() -> None:
    """Place, digest found and digest pinned are named, though another place is right."""
    moved = replace(LIVE, digests={EMBEDDING: MOVED})

    found = lines(replace(FACTS, places=(STORE, moved)))[EMBEDDING]

    assert found.state == "drift"
    assert found.seen == f"tag moved in {LIVE.name}: has abababababab, pinned 1b226e2802db"
    assert found.hint.startswith(f"ragbed models fetch --model {EMBEDDING} && OLLAMA_MODELS=")


def test_a_blob_of_another_size_is_drift() -> None:
    """What is wrong with it is said."""
    broken = replace(STORE, broken={CHAT: "model 0123456789ab has 1 kB, pinned 398 MB"})

    found = lines(replace(FACTS, places=(broken,)))

    assert (found[CHAT].state, found[EMBEDDING].state) == ("drift", "ok")
    assert found[CHAT].seen.endswith("has 1 kB, pinned 398 MB")


def test_a_wanted_model_that_is_not_pinned_is_noted() -> None:
    """Nobody can compare it."""
    found = lines(replace(FACTS, wanted=("mistral:7b",)))["mistral:7b"]

    assert (found.state, found.hint) == ("note", "ragbed models lock mistral:7b")


def test_a_moved_tag_that_nobody_wants_does_not_fail() -> None:
    """It is said, as it would be drift for who wants it."""
    places = (STORE, replace(LIVE, digests={OTHER: MOVED}))

    found = lines(replace(FACTS, places=places))["other models"]

    assert found.state == "note"
    assert OTHER in found.seen
    assert f"--model {OTHER}" in found.hint


def test_the_other_pinned_models_are_one_line() -> None:
    """Those that are here, and those that are not."""
    places = (STORE, replace(LIVE, digests={OTHER: PINNED[OTHER]}))

    found = lines(replace(FACTS, places=places))["other models"]

    assert (found.state, found.hint) == ("ok", "")
    assert found.seen.startswith(f"as pinned: {OTHER}; not here, not wanted: ")


@dataclass(frozen=True)
class Verdict:
    """What a fingerprint came to, in the form of the models room."""

    kind: str
    line: str = "all-minilm: 9 canaries"
    details: tuple[str, ...] = ("short: distance 0.4",)


@pytest.mark.parametrize(
    ("verdict", "state", "hint"),
    [
        pytest.param(Verdict("same"), "ok", "", id="same"),
        pytest.param(Verdict("drift"), "drift", "ragbed models fingerprint --model", id="drift"),
        pytest.param(Verdict("unknown"), "note", "ragbed models fingerprint --update", id="unknown"),
        pytest.param(None, "note", "ragbed doctor --fingerprint", id="not-loaded"),
        pytest.param(Silent(5.0), "note", "ragbed doctor --fingerprint", id="silent"),
        pytest.param(Failed(PinFileError("the file is damaged")), "wrong", "", id="damaged"),
        pytest.param(Failed(EmbeddingFailed("it refused")), "missing", "", id="refused"),
        pytest.param(Failed(OSError("no route")), "note", "", id="unreachable"),
    ],
)
def test_a_fingerprint_is_judged_by_its_verdict(verdict: Any, state: str, hint: str) -> None:
    """Only vectors that differ from the recorded ones are drift."""
    finding = judge_fingerprint(EMBEDDING, LIVE.name, verdict)

    assert (finding.topic, finding.state) == ("fingerprint", state)
    assert finding.hint.startswith(hint)
    assert bool(finding.hint) == bool(hint)


def test_a_drifted_fingerprint_brings_its_distances() -> None:
    """They are details of the line."""
    finding = judge_fingerprint(EMBEDDING, LIVE.name, Verdict("drift"))  # type: ignore[arg-type]

    assert finding.details == ("short: distance 0.4",)
    assert LIVE.name in finding.seen
    assert judge_fingerprint(EMBEDDING, LIVE.name, Verdict("same")).details == ()  # type: ignore[arg-type]


def test_a_model_that_is_not_loaded_is_left_alone() -> None:
    """No verdict, and nobody asked: the address of this server leads nowhere."""
    assert take_fingerprints(replace(FACTS, places=(STORE, LIVE)), load=False) == {LIVE.name: None}


def test_only_a_live_server_with_the_pinned_model_has_a_fingerprint() -> None:
    """Folders have no runtime; a moved model is drift already."""
    moved = replace(LIVE, digests={EMBEDDING: MOVED}, loaded=(EMBEDDING,))

    assert take_fingerprints(replace(FACTS, places=(STORE, moved)), load=False) == {}
