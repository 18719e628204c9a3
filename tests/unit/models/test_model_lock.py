"""The model lock: its own digests prove it; what is wrong is refused with key, found and expected."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragbed.errors import ExitCode, PinFileError, UsageError
from ragbed.pins import load_model_lock, model_lock_path, parse_manifest, pinned_digests
from sample_models import digest_of, sample_model, write_lock_of

if TYPE_CHECKING:
    from collections.abc import Callable

CHECKOUT = Path(__file__).resolve().parents[3]
GOOD = json.loads((CHECKOUT / "models.lock.json").read_text(encoding="utf-8"))
MINILM = "all-minilm:latest"


def refused(tmp_path: Path, change: Callable[[Any], object]) -> PinFileError:
    """Change a copy of the checkout's lock and return the refusal."""
    value = json.loads(json.dumps(GOOD))
    change(value)
    path = tmp_path / "models.lock.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    with pytest.raises(PinFileError) as caught:
        load_model_lock(path)
    return caught.value


def test_the_checkouts_own_lock_is_right() -> None:
    """Three sets, the small one where none is named; every digest is that of its parts."""
    lock = load_model_lock(CHECKOUT / "models.lock.json")

    assert {name: list(members) for name, members in lock.sets.items()} == {
        "small": ["all-minilm:latest", "qwen2.5:0.5b"],
        "large": ["nomic-embed-text:latest", "llama3.2:1b"],
        "full": ["nomic-embed-text:latest", "llama3.1:8b"],
    }
    assert [pin.full_name for pin in lock.select()] == ["all-minilm:latest", "qwen2.5:0.5b"]


@pytest.mark.parametrize(
    ("model", "shown", "size"),
    [
        ("all-minilm", "1b226e2802db", 45_960_996),
        ("qwen2.5:0.5b", "a8b0c5157701", 397_821_319),
        ("nomic-embed-text", "0a109f422b47", 274_302_450),
        ("llama3.2:1b", "baf6a787fdff", 1_321_098_329),
        ("llama3.1:8b", "46e0c10c039e", 4_920_753_328),
    ],
)
def test_pinned_models_are_those_that_ollama_shows(model: str, shown: str, size: int) -> None:
    """The ids and sizes that `ollama list` shows for these tags."""
    pin = load_model_lock(CHECKOUT / "models.lock.json")[model]

    assert (pin.manifest.digest.removeprefix("sha256:")[:12], pin.size_bytes) == (shown, size)


def test_a_lock_reads_back_as_it_was_written() -> None:
    """Reading and writing changes no byte, so a diff shows what somebody changed."""
    path = CHECKOUT / "models.lock.json"

    assert load_model_lock(path).encode() == path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "key", "found", "expected"),
    [
        pytest.param(
            lambda v: v["models"][MINILM].update(digest="sha256:" + "0" * 64),
            f"models.{MINILM}.digest",
            "sha256:" + "0" * 64,
            GOOD["models"][MINILM]["digest"],
            id="digest",
        ),
        pytest.param(
            lambda v: v["models"][MINILM]["manifest"]["layers"][0].update(size=5),
            f"models.{MINILM}.digest",
            GOOD["models"][MINILM]["digest"],
            "which its manifest's parts give",
            id="size-of-a-layer",
        ),
        pytest.param(
            lambda v: v["models"][MINILM]["manifest"]["layers"].reverse(),
            f"models.{MINILM}.digest",
            GOOD["models"][MINILM]["digest"],
            "which its manifest's parts give",
            id="order-of-layers",
        ),
        pytest.param(
            lambda v: v["models"][MINILM]["manifest"]["layers"][0].update(digest="sha256:00"),
            f"models.{MINILM}.manifest.layers.0.digest",
            "'sha256:00'",
            "a digest, sha256: and 64 hexadecimal digits",
            id="no-digest",
        ),
        pytest.param(
            lambda v: v["models"][MINILM].update(tag="22m"),
            f"models.{MINILM}",
            "'all-minilm:22m'",
            MINILM,
            id="tag",
        ),
        pytest.param(
            lambda v: v["models"][MINILM].update(registry=".."),
            f"models.{MINILM}.registry",
            "'..'",
            "",
            id="registry",
        ),
        pytest.param(
            lambda v: v["models"][MINILM].update(name="../x"),
            f"models.{MINILM}.name",
            "'../x'",
            "",
            id="name",
        ),
        pytest.param(
            lambda v: v["sets"].update({"../x": [MINILM]}),
            "sets.../x.[key]",
            "'../x'",
            "",
            id="name-of-a-set",
        ),
        pytest.param(
            lambda v: v["models"][MINILM].update(dimensions=True),
            f"models.{MINILM}.dimensions",
            "True",
            "a valid integer",
            id="dimensions",
        ),
        pytest.param(
            lambda v: v["models"][MINILM].update(licence="x"),
            f"models.{MINILM}.licence",
            "an unknown key",
            "none of that name",
            id="unknown-key",
        ),
        pytest.param(
            lambda v: v["models"][MINILM].pop("purpose"),
            f"models.{MINILM}.purpose",
            "nothing",
            "a value",
            id="missing-key",
        ),
        pytest.param(
            lambda v: v.update(default="tiny"), "default", "'tiny'", "one of small, large", id="default"
        ),
        pytest.param(
            lambda v: v["sets"].update(small=["nope:1b"]),
            "sets.small",
            "'nope:1b'",
            "one of all-minilm",
            id="set",
        ),
    ],
)
def test_a_wrong_lock_is_refused_with_key_found_and_expected(
    tmp_path: Path, change: Callable[[Any], object], key: str, found: str, expected: str
) -> None:
    """The first line says which key, what is there and what should be."""
    error = refused(tmp_path, change)

    assert f" is wrong: {key}: found " in error.message
    assert found in error.message.partition("found ")[2]
    assert expected in error.message.partition("expected ")[2]
    assert error.exit_code == ExitCode.USAGE


def test_a_key_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    """JSON readers disagree on which one counts."""
    path = tmp_path / "models.lock.json"
    path.write_text('{"schema": 1, "schema": 1}', encoding="utf-8")

    with pytest.raises(PinFileError, match="the key 'schema' is there twice"):
        load_model_lock(path)


def test_a_model_is_named_with_or_without_latest() -> None:
    """As Ollama takes it."""
    lock = load_model_lock(CHECKOUT / "models.lock.json")

    assert lock["all-minilm"] is lock["all-minilm:latest"]


def test_an_unknown_model_is_refused_with_what_there_is() -> None:
    """The refusal lists the entries and says how to add one."""
    with pytest.raises(UsageError, match="has no model nope") as caught:
        load_model_lock(CHECKOUT / "models.lock.json").select(models=["nope"])

    assert "qwen2.5:0.5b" in caught.value.render()


def test_a_manifest_is_written_again_byte_for_byte(tmp_path: Path) -> None:
    """The lock's parts give the bytes that the registry served."""
    model = sample_model()
    lock = write_lock_of(tmp_path / "models.lock.json", model)

    assert lock["tiny"].manifest.encode() == model.manifest


@given(size=st.integers(1, 2**53), origin=st.one_of(st.none(), st.text(max_size=20)), newline=st.booleans())
def test_parsing_a_manifest_and_writing_it_changes_nothing(
    size: int, origin: str | None, newline: bool
) -> None:
    """Whatever sizes and origins it has, and whether or not Ollama put a newline below it."""
    layer = {"mediaType": "application/vnd.ollama.image.model", "digest": digest_of(b"x"), "size": size}
    layer |= {} if origin is None else {"from": origin}
    config = {
        "mediaType": "application/vnd.docker.container.image.v1+json",
        "digest": digest_of(b"y"),
        "size": 1,
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": config,
        "layers": [layer],
    }
    text = json.dumps(manifest, separators=(",", ":"), ensure_ascii=False)
    content = (text + "\n" * newline).encode()

    assert parse_manifest(content).encode() == content


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        sample_model().manifest.replace(b'"layers"', b'"more":1,"layers"'),
        b" " + sample_model().manifest,
    ],
    ids=["empty", "list", "object", "more-keys", "space"],
)
def test_a_manifest_that_could_not_be_written_again_is_refused(content: bytes) -> None:
    """Another form would give another digest."""
    with pytest.raises(ValueError, match=r"it is not a model's manifest|its bytes|Expecting value"):
        parse_manifest(content)


def test_a_lock_of_another_place_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """RAGBED_MODELS_LOCK names the lock in force, for test-only models."""
    lock = write_lock_of(tmp_path / "made.lock.json", sample_model())
    monkeypatch.setenv("RAGBED_MODELS_LOCK", str(lock.path))

    assert pinned_digests() == {"tiny:latest": lock["tiny"].digest}
    assert model_lock_path() == lock.path


def test_a_lock_that_was_named_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A typing error does not mean that nothing is pinned."""
    monkeypatch.setenv("RAGBED_MODELS_LOCK", str(tmp_path / "nope.json"))

    with pytest.raises(PinFileError, match="cannot read the model lock"):
        pinned_digests()
