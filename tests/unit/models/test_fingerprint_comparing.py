"""Verdicts: same, drift or unknown, and what changed."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragbed.models.fingerprint import (
    LENGTH_TOLERANCE,
    TOLERANCE,
    Fingerprint,
    FingerprintFile,
    Setup,
    StoredVector,
    Verdict,
    compare,
    load_canaries,
)

SETUP = Setup(
    model="tiny:latest",
    digest=f"sha256:{'1' * 64}",
    runtime="ollama 0.24.0",
    backend="cpu linux-x86_64",
)
SEEN = Fingerprint(
    setup=SETUP,
    purpose="embedding",
    canaries="c",
    marks={"short": StoredVector.of([1.0, 0.0, 0.0]), "blank": StoredVector.of([0.0, 1.0, 0.0])},
)
CHAT = Fingerprint(setup=SETUP, purpose="chat", canaries="p", answers={"facts": "Spring, summer, autumn"})
OTHERS = {"digest": f"sha256:{'2' * 64}", "runtime": "ollama 0.23.0", "backend": "gpu linux-x86_64"}


def turned(angle: float, *, length: float = 1.0) -> StoredVector:
    """Return the first canary's vector, turned and scaled."""
    return StoredVector.of([length * math.cos(angle), length * math.sin(angle), 0.0])


def with_short(mark: StoredVector) -> Fingerprint:
    """Return the fingerprint with another vector of its first canary."""
    return replace(SEEN, marks={**SEEN.marks, "short": mark})


def judged(seen: Fingerprint, *recorded: Fingerprint) -> Verdict:
    """Return the verdict against what was recorded."""
    return compare(seen, FingerprintFile(path=Path("models.fingerprints.json"), fingerprints=recorded))


@pytest.mark.parametrize("seen", [SEEN, CHAT], ids=["vectors", "answers"])
def test_what_was_recorded_is_the_same(seen: Fingerprint) -> None:
    """Nothing to type, nothing fails."""
    verdict = judged(seen, seen)

    assert (verdict.kind, verdict.fails, verdict.hint) == ("same", False, "")


@given(angle=st.floats(0, math.pi, allow_nan=False))
def test_drift_begins_at_the_tolerance(angle: float) -> None:
    """A vector that is turned by more than the tolerance is another; half precision leaves a narrow band between."""
    distance = 1 - math.cos(angle)

    kind = judged(with_short(turned(angle)), SEEN).kind

    if not 0.9 * TOLERANCE < distance < 1.1 * TOLERANCE:
        assert kind == ("drift" if distance > TOLERANCE else "same")


@given(factor=st.floats(0.001, 1000))
def test_a_scaled_vector_is_drift(factor: float) -> None:
    """The cosine does not see it: scores by dot product do."""
    kind = judged(with_short(turned(0, length=factor)), SEEN).kind

    if not 0.4 * LENGTH_TOLERANCE < abs(factor - 1) < 1.6 * LENGTH_TOLERANCE:
        assert kind == ("drift" if abs(factor - 1) > LENGTH_TOLERANCE else "same")


def test_drift_names_each_distance_and_that_nothing_else_changed() -> None:
    """Same bytes, same runtime, same backend, another vector: somebody must look."""
    verdict = judged(with_short(turned(math.pi / 2)), SEEN)

    assert verdict.fails
    assert "1 of 2 canaries gave other vectors (cosine distance up to 1.0e+00, allowed 1e-05)" in verdict.line
    assert verdict.line.endswith("digest, runtime and backend are as recorded")
    assert verdict.details == ("short: cosine distance 1.0e+00", "blank: cosine distance 0.0e+00")
    assert verdict.distances == {"short": pytest.approx(1.0), "blank": 0.0}


@pytest.mark.parametrize("what", OTHERS)
def test_other_vectors_of_another_setup_are_drift(what: str) -> None:
    """It names what changed, found and recorded."""
    recorded = replace(SEEN, setup=replace(SETUP, **{what: OTHERS[what]}))

    verdict = judged(with_short(turned(0.1)), recorded)

    (change,) = verdict.changes
    assert (verdict.kind, change.split()[0]) == ("drift", what)
    assert verdict.line.endswith(f"; {change}")


@pytest.mark.parametrize("what", OTHERS)
def test_the_same_vectors_of_another_setup_are_unknown(what: str) -> None:
    """Nothing drifted and nobody recorded it: the nearest is named, and what to type."""
    recorded = replace(SEEN, setup=replace(SETUP, **{what: OTHERS[what]}))

    verdict = judged(SEEN, recorded)

    assert (verdict.kind, verdict.recorded) == ("unknown", recorded)
    assert f"no fingerprint of this setup ({what} " in verdict.line
    assert "2 canaries gave the recorded vectors" in verdict.line
    assert verdict.hint == "ragbed models fingerprint --update --model tiny:latest"


def test_a_model_that_nobody_recorded_is_unknown() -> None:
    """Neither its name nor its digest."""
    other = replace(SEEN, setup=replace(SETUP, model="other:latest", digest=OTHERS["digest"]))

    verdict = judged(SEEN, other)

    assert (verdict.kind, verdict.recorded) == ("unknown", None)
    assert (
        "no fingerprint in models.fingerprints.json has this name or the digest 111111111111" in verdict.line
    )


def test_the_same_bytes_under_another_name_are_known() -> None:
    """A copied tag is the same model."""
    assert judged(SEEN, replace(SEEN, setup=replace(SETUP, model="copy:latest"))).kind == "same"


def test_other_dimensions_are_drift() -> None:
    """Another model is behind the name."""
    verdict = judged(with_short(StoredVector.of([1.0, 0.0])), SEEN)

    assert verdict.fails
    assert "short: 2 dimensions, recorded 3" in verdict.details
    assert verdict.distances["short"] is None


def test_a_canary_that_was_not_recorded_is_drift() -> None:
    """A record that lacks one was not taken by these canaries."""
    verdict = judged(SEEN, replace(SEEN, marks={"short": SEEN.marks["short"]}))

    assert (verdict.kind, verdict.details[-1]) == ("drift", "blank: not recorded")


def test_vectors_of_other_canaries_are_not_compared() -> None:
    """Other texts have other vectors."""
    assert judged(SEEN, replace(SEEN, canaries="older")).recorded is None


@pytest.mark.parametrize(
    "nearer",
    [
        replace(SETUP, runtime="ollama 0.30.7"),
        replace(SETUP, model="copy:latest", runtime="ollama 0.22.0"),
    ],
    ids=["the newest runtime", "the same bytes"],
)
def test_the_nearest_is_compared(nearer: Setup) -> None:
    """The same bytes before the same name, then the newest runtime."""
    runtimes = ("ollama 0.9.9", "ollama 0.29.0")
    digest = SETUP.digest if nearer.model == SETUP.model else OTHERS["digest"]
    others = [replace(SEEN, setup=replace(SETUP, runtime=runtime, digest=digest)) for runtime in runtimes]
    near = replace(SEEN, setup=nearer)

    verdict = judged(SEEN, others[0], near, others[1])

    assert verdict.recorded == near


def test_other_answers_are_advisory() -> None:
    """A chat model that says something else is worth a look; it fails nothing."""
    verdict = judged(replace(CHAT, answers={"facts": "Spring, then summer"}), CHAT)

    assert (verdict.kind, verdict.advisory, verdict.fails) == ("drift", True, False)
    assert "facts: from character 9 'then summer', recorded 'summer, autumn'" in verdict.details


def test_an_answer_that_goes_on_is_another() -> None:
    """The longer one tells from where."""
    verdict = judged(replace(CHAT, answers={"facts": "Spring, summer, autumn, winter"}), CHAT)

    assert "facts: from character 23 ', winter', recorded ''" in verdict.details


def test_canaries_are_of_many_kinds_and_short_enough() -> None:
    """Code, scripts, nearly nothing; none is longer than the smallest context of the lock, 256 tokens, may take."""
    texts = load_canaries().texts

    assert {"short", "long", "code", "cyrillic and greek", "chinese, japanese, korean", "blank"} <= set(texts)
    assert max(len(text.split()) for text in texts.values()) < 256 / 1.5


def test_other_canaries_have_another_key() -> None:
    """So that vectors of other texts are never compared."""
    canaries = load_canaries()
    longer = replace(canaries, texts={**canaries.texts, "short": "hello there"})

    assert canaries.key("embedding") != longer.key("embedding")
    assert canaries.key("chat") == longer.key("chat")
