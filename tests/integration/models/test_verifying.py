"""Verify: a healthy store and server have no differences; each planted one is named exactly, and nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from listing_ollama import Listed, listing

from ragbed.errors import ServiceMissing
from ragbed.models import BlobFolder, LiveServer, export_store, verify_blobs, verify_server, verify_store
from sample_models import CONFIG, SampleModel, digest_of, sample_model, write_lock_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ragbed.models import ModelDifference
    from ragbed.pins import ModelLock

MODEL = sample_model()
LAYERS = dict(MODEL.layers)
WEIGHTS = digest_of(LAYERS["model"])


def kinds(differences: list[ModelDifference]) -> list[tuple[str, str]]:
    """Return kind and subject of each difference."""
    return [(difference.kind, difference.what) for difference in differences]


def short(digest: str) -> str:
    """Return a digest as it is shown."""
    return digest.removeprefix("sha256:")[:12]


@pytest.fixture
def lock(tmp_path: Path) -> ModelLock:
    """A lock of the one model, its quantization stated."""
    return write_lock_of(tmp_path / "models.lock.json", MODEL, quantization="F16")


@pytest.fixture
def store(tmp_path: Path, lock: ModelLock) -> Path:
    """A models folder with exactly that model."""
    MODEL.write_folder(tmp_path / "store", lock["tiny"])
    return tmp_path / "store"


@pytest.fixture
def server(lock: ModelLock) -> Iterator[Listed]:
    """A live server with exactly that model."""
    with listing(Listed()) as listed:
        listed.add(MODEL, lock["tiny"])
        yield listed


def retag(store: Path, lock: ModelLock, other: SampleModel) -> None:
    """Let the pinned tag of a folder name another model."""
    other.write_folder(store, lock["tiny"])


def test_a_folder_like_the_lock_has_no_differences(lock: ModelLock, store: Path) -> None:
    """Neither as blobs nor as a laid-out folder."""
    assert verify_store(lock.select(), store) == []
    assert verify_blobs(lock.select(), lock, BlobFolder(store)) == []


def test_a_server_like_the_lock_has_no_differences(lock: ModelLock, server: Listed) -> None:
    """What it lists and shows is what is pinned."""
    assert verify_server(lock.select(), LiveServer(server.url)) == []


def _move_tag(store: Path, lock: ModelLock) -> None:
    path = lock["tiny"].manifest_in(store)
    path.write_bytes(path.read_bytes() + b"\n")


def _change_layer(store: Path, lock: ModelLock) -> None:
    retag(store, lock, sample_model(seed=2))
    BlobFolder(store).path(WEIGHTS).write_bytes(LAYERS["model"])


def _corrupt(store: Path, lock: ModelLock) -> None:
    path = BlobFolder(store).path(WEIGHTS)
    path.write_bytes(b"\0" + path.read_bytes()[1:])


def _shorten(store: Path, lock: ModelLock) -> None:
    path = BlobFolder(store).path(WEIGHTS)
    path.write_bytes(path.read_bytes()[:-1])


IN_A_FOLDER = [
    pytest.param(_move_tag, [("tag moved", "tiny:latest")], id="tag-moved"),
    pytest.param(
        _change_layer,
        [("tag moved", "tiny:latest"), ("layer changed", "tiny:latest model")],
        id="layer-changed",
    ),
    pytest.param(
        lambda store, lock: retag(store, lock, sample_model(template="{{ .Prompt }}")),
        [("tag moved", "tiny:latest"), ("template changed", "tiny:latest template")],
        id="template-changed",
    ),
    pytest.param(
        lambda store, _: BlobFolder(store).path(WEIGHTS).unlink(),
        [("missing", f"tiny:latest model {short(WEIGHTS)}")],
        id="missing-blob",
    ),
    pytest.param(
        lambda store, lock: lock["tiny"].manifest_in(store).unlink(),
        [("missing", "tiny:latest")],
        id="missing-model",
    ),
    pytest.param(
        lambda store, lock: MODEL.write_folder(store, lock["tiny"], tag="other"),
        [("extra", "tiny:other")],
        id="extra-model",
    ),
    pytest.param(
        lambda store, _: BlobFolder(store).path(digest_of(b"extra")).write_bytes(b"extra"),
        [("extra", digest_of(b"extra"))],
        id="extra-blob",
    ),
    pytest.param(_shorten, [("size", f"tiny:latest model {short(WEIGHTS)}")], id="size"),
    pytest.param(_corrupt, [("corrupted blob", f"tiny:latest model {short(WEIGHTS)}")], id="corrupted-blob"),
]


@pytest.mark.parametrize(("plant", "expected"), IN_A_FOLDER)
def test_each_difference_of_a_folder_is_named_exactly(
    plant: Callable[[Path, ModelLock], None],
    expected: list[tuple[str, str]],
    lock: ModelLock,
    store: Path,
) -> None:
    """One planted difference gives that kind and that subject, and no other."""
    plant(store, lock)

    assert kinds(verify_store(lock.select(), store)) == expected


def test_another_quantization_is_named(tmp_path: Path, store: Path) -> None:
    """What the config blob says of the weights is compared with what the lock states."""
    lock = write_lock_of(tmp_path / "models.lock.json", MODEL, quantization="Q4_0")

    found = verify_store(lock.select(), store)

    assert [f.describe() for f in found] == ["store: tiny:latest: quantization: has F16, pinned Q4_0"]
    assert json.loads(CONFIG)["file_type"] == "F16"


def test_a_server_that_answers_otherwise_is_named(lock: ModelLock) -> None:
    """What is not a list of models is not compared with one."""
    with (
        listing(Listed(tags={"odd": {"name": "odd", "size": "large"}})) as listed,
        pytest.raises(ServiceMissing) as told,
    ):
        verify_server(lock.select(), LiveServer(listed.url))

    assert "/api/tags does not answer as an Ollama does" in told.value.message


IN_A_SERVER = [
    pytest.param(
        lambda listed, name: listed.tags[name].update(digest="0" * 64),
        [("tag moved", "tiny:latest")],
        id="tag",
    ),
    pytest.param(
        lambda listed, name: listed.shows[name].update(modelfile=f"FROM /m/blobs/sha256-{'1' * 64}"),
        [("layer changed", "tiny:latest model")],
        id="layer",
    ),
    pytest.param(
        lambda listed, name: listed.shows[name].update(template="{{ .Prompt }}"),
        [("template changed", "tiny:latest template")],
        id="template",
    ),
    pytest.param(
        lambda listed, name: listed.shows[name].update(system="Be kind."),
        [("layer changed", "tiny:latest system")],
        id="system",
    ),
    pytest.param(
        lambda listed, name: listed.tags[name]["details"].update(quantization_level="Q4_0"),
        [("quantization", "tiny:latest")],
        id="quantization",
    ),
    pytest.param(lambda listed, name: listed.tags[name].update(size=7), [("size", "tiny:latest")], id="size"),
    pytest.param(lambda listed, name: listed.tags.pop(name), [("missing", "tiny:latest")], id="missing"),
    pytest.param(
        lambda listed, name: listed.tags.update(more={**listed.tags[name], "name": "more:1b"}),
        [("extra", "more:1b")],
        id="extra",
    ),
]


@pytest.mark.parametrize(("plant", "expected"), IN_A_SERVER)
def test_each_difference_of_a_server_is_named_exactly(
    plant: Callable[[Listed, str], None], expected: list[tuple[str, str]], lock: ModelLock, server: Listed
) -> None:
    """One planted difference gives that kind and that subject, and no other."""
    plant(server, "tiny:latest")

    assert kinds(verify_server(lock.select(), LiveServer(server.url))) == expected


def test_more_models_on_a_live_server_are_no_drift(lock: ModelLock, server: Listed) -> None:
    """They are said, and harm nobody."""
    server.add(MODEL, lock["tiny"])
    server.tags["more:1b"] = {**server.tags["tiny:latest"], "name": "more:1b"}

    assert [found.drift for found in verify_server(lock.select(), LiveServer(server.url))] == [False]


def test_more_models_are_drift_only_in_a_folder_that_we_laid_out(
    tmp_path: Path, lock: ModelLock, store: Path
) -> None:
    """An Ollama's own folder may have as many as it likes."""
    ours = export_store(lock.select(), BlobFolder(store), tmp_path / "ours").folder
    for folder in (store, ours):
        (folder / "blobs").chmod(0o755)
        BlobFolder(folder).path(digest_of(b"extra")).write_bytes(b"extra")

    found = [verify_store(lock.select(), folder) for folder in (store, ours)]

    assert [[difference.drift for difference in differences] for differences in found] == [[False], [True]]


def test_blobs_of_other_entries_are_not_extra(tmp_path: Path) -> None:
    """Verifying one set says nothing of blobs that another set wants."""
    other = sample_model("other", seed=5)
    lock = write_lock_of(tmp_path / "models.lock.json", MODEL, other, sets={"one": ["tiny:latest"]})
    for made, name in ((MODEL, "tiny"), (other, "other")):
        made.write_folder(tmp_path / "models", lock[name])

    assert verify_blobs(lock.select(sets=["one"]), lock, BlobFolder(tmp_path / "models")) == []


def test_a_difference_names_found_and_pinned(lock: ModelLock, server: Listed) -> None:
    """One line says where, what, which kind, what is there and what is pinned."""
    server.tags["tiny:latest"]["digest"] = "0" * 64

    (found,) = verify_server(lock.select(), LiveServer(server.url))

    pinned = short(lock["tiny"].digest)
    assert found.describe() == f"server: tiny:latest: tag moved: has {'0' * 12}, pinned {pinned}"
