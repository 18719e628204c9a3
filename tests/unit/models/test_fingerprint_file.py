"""The file of fingerprints: what is written is read again, and anything else is refused by its key."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragbed.errors import PinFileError
from ragbed.models.fingerprint import (
    Fingerprint,
    FingerprintFile,
    Setup,
    StoredVector,
    fingerprints_path,
    load_fingerprints,
)
from ragbed.pins import load_model_lock

if TYPE_CHECKING:
    from collections.abc import Callable

CHECKOUT = Path(__file__).resolve().parents[3]
SETUP = Setup(
    model="tiny:latest",
    digest=f"sha256:{'1' * 64}",
    runtime="ollama 0.24.0",
    backend="cpu linux-x86_64",
)
VECTORS = Fingerprint(
    setup=SETUP,
    purpose="embedding",
    canaries="c",
    marks={"short": StoredVector.of([0.6, 0.8]), "blank": StoredVector.of([1.0, 0.0])},
)
ANSWERS = Fingerprint(setup=SETUP, purpose="chat", canaries="p", answers={"facts": "Spring, summer …"})

WORDS = st.text(min_size=1, max_size=20)
SETUPS = st.builds(
    Setup,
    model=WORDS,
    digest=st.from_regex(r"sha256:[0-9a-f]{64}", fullmatch=True),
    runtime=WORDS,
    backend=WORDS,
)
MARKS = st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=8).map(StoredVector.of)
FINGERPRINTS = st.one_of(
    st.builds(
        Fingerprint,
        setup=SETUPS,
        purpose=st.just("embedding"),
        canaries=WORDS,
        marks=st.dictionaries(WORDS, MARKS, max_size=3),
    ),
    st.builds(
        Fingerprint,
        setup=SETUPS,
        purpose=st.just("chat"),
        canaries=WORDS,
        answers=st.dictionaries(WORDS, st.text(), max_size=3),
    ),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with one fingerprint."""
    file = FingerprintFile(path=tmp_path / "models.fingerprints.json").recorded(VECTORS)
    file.write()
    return file.path


@settings(max_examples=50, deadline=None)  # it writes files
@given(recorded=st.lists(FINGERPRINTS, max_size=4))
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, recorded: list[Fingerprint]
) -> None:
    """Every fingerprint, whatever its model is called and answers."""
    file = FingerprintFile(path=tmp_path_factory.mktemp("file") / "models.fingerprints.json")
    for fingerprint in recorded:
        file = file.recorded(fingerprint)

    file.write()

    assert load_fingerprints(file.path) == file


@settings(max_examples=50, deadline=None)  # drawing takes longest
@given(
    recorded=st.lists(
        FINGERPRINTS,
        max_size=4,
        unique_by=lambda one: (one.setup.model, one.setup.runtime, one.setup.backend),
    ),
    data=st.data(),
)
def test_the_order_of_recording_changes_nothing(recorded: list[Fingerprint], data: st.DataObject) -> None:
    """So that two people who record the same have the same file."""
    texts = []
    for order in (recorded, data.draw(st.permutations(recorded))):
        file = FingerprintFile(path=fingerprints_path())
        for fingerprint in order:
            file = file.recorded(fingerprint)
        texts.append(file.encode())

    assert texts[0] == texts[1]


@pytest.mark.parametrize("digest", [SETUP.digest, f"sha256:{'2' * 64}"], ids=["same", "another"])
def test_recording_again_replaces_what_has_its_place(path: Path, digest: str) -> None:
    """One fingerprint per name, runtime and backend, whatever bytes the name stood for; others stay."""
    newer = replace(VECTORS, setup=replace(SETUP, runtime="ollama 0.30.7"))
    changed = replace(
        VECTORS, setup=replace(SETUP, digest=digest), marks={"short": StoredVector.of([0.0, 1.0])}
    )

    file = load_fingerprints(path).recorded(newer).recorded(changed)

    assert file.fingerprints == (changed, newer)


def test_a_vector_is_one_line_of_the_file(path: Path) -> None:
    """A review sees which canaries moved."""
    lines = path.read_text(encoding="utf-8").splitlines()

    assert len([line for line in lines if "halves" in line]) == 2


def test_no_file_is_nothing_recorded(tmp_path: Path) -> None:
    """Before the first recording."""
    assert load_fingerprints(tmp_path / "models.fingerprints.json").fingerprints == ()


def test_the_file_lies_beside_its_lock(tmp_path: Path) -> None:
    """Another lock has other fingerprints."""
    assert fingerprints_path(tmp_path / "models.lock.json") == tmp_path / "models.fingerprints.json"
    assert fingerprints_path(tmp_path / "made.json") == tmp_path / "made.fingerprints.json"


def change_vector(value: dict[str, Any]) -> None:
    """Put another vector in place of one."""
    value["vectors"]["short"] = StoredVector.of([0.8, 0.6]).encode()


def damage_vector(value: dict[str, Any]) -> None:
    """Lose a character of a vector."""
    value["vectors"]["short"] = value["vectors"]["short"][:-1]


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda value: value.update(runtime="ollama 9"), "fingerprints.0 (tiny:latest): checksum: found"),
        (change_vector, "fingerprints.0 (tiny:latest): checksum: found"),
        (damage_vector, "fingerprints.0 (tiny:latest): vectors.short: expected a line such as"),
        (lambda value: value.pop("checksum"), "fingerprints.0.checksum: "),
        (lambda value: value.update(digest="sha256:1"), "fingerprints.0.digest: "),
        (lambda value: value.update(purpose="poetry"), "fingerprints.0.purpose: "),
        (lambda value: value.update(colour="red"), "fingerprints.0.colour: "),
        (lambda value: value.update(answers={}), "fingerprints.0 (tiny:latest): checksum: found"),
    ],
    ids=["setup", "vector", "cut vector", "checksum", "digest", "purpose", "unknown key", "both kinds"],
)
def test_a_damaged_entry_is_refused_by_its_key(
    path: Path, damage: Callable[[dict[str, Any]], object], told: str
) -> None:
    """What was edited or merged by hand says so; it is not taken for drift."""
    value = json.loads(path.read_text(encoding="utf-8"))
    damage(value["fingerprints"][0])
    path.write_text(json.dumps(value), encoding="utf-8")

    with pytest.raises(PinFileError) as caught:
        load_fingerprints(path)

    assert told in caught.value.message
    assert "ragbed models fingerprint --update" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<<<<<<< HEAD\n{}", "it is not JSON"),
        ("[]", "the whole: "),
        ('{"schema": 2, "fingerprints": []}', "schema: "),
    ],
    ids=["conflict", "list", "other schema"],
)
def test_a_damaged_file_is_refused(path: Path, text: str, told: str) -> None:
    """A conflict that git left, another form, a later version."""
    path.write_text(text, encoding="utf-8")

    with pytest.raises(PinFileError) as caught:
        load_fingerprints(path)

    assert f"{path} is wrong: {told}" in caught.value.message


@pytest.mark.parametrize("lock", ["models.lock.json", "tests/tiny_models/models.lock.json"])
def test_what_is_committed_is_of_the_locked_models(lock: str) -> None:
    """A model that was locked anew wants its fingerprint recorded anew."""
    pinned = load_model_lock(CHECKOUT / lock)

    recorded = load_fingerprints(fingerprints_path(pinned.path)).fingerprints

    assert [one.setup.model for one in recorded if one.setup.digest != pinned[one.setup.model].digest] == []
