"""The folder that an Ollama serves: hard links, exact manifests, nothing that can be written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ragbed.errors import ServiceMissing, UsageError
from ragbed.models import BlobFolder, export_store, orphaned_blobs, prune, remove_store, verify_store
from sample_models import SampleModel, digest_of, sample_model, write_lock_of

if TYPE_CHECKING:
    from pathlib import Path

    from ragbed.pins import ModelLock

MODEL = sample_model()


@pytest.fixture
def lock(tmp_path: Path) -> ModelLock:
    """A lock of one model."""
    return write_lock_of(tmp_path / "models.lock.json", MODEL)


@pytest.fixture
def blobs(tmp_path: Path) -> BlobFolder:
    """Its fetched blobs."""
    return fetched(tmp_path / "models", MODEL)


def fetched(folder: Path, *models: SampleModel) -> BlobFolder:
    """Put blobs where a fetch would."""
    blobs = BlobFolder(folder)
    blobs.folder.mkdir(parents=True)
    for model in models:
        for digest, content in model.blobs.items():
            blobs.path(digest).write_bytes(content)
    return blobs


def test_a_laid_out_folder_is_what_the_lock_says(tmp_path: Path, lock: ModelLock, blobs: BlobFolder) -> None:
    """Verify finds no difference, and the manifest is the registry's byte for byte."""
    done = export_store(lock.select(), blobs, tmp_path / "store")

    assert verify_store(lock.select(), done.folder) == []
    path = done.folder / "manifests" / "registry.ollama.ai" / "library" / "tiny" / "latest"
    assert path.read_bytes() == MODEL.manifest


def test_blobs_are_hard_links(tmp_path: Path, lock: ModelLock, blobs: BlobFolder) -> None:
    """A laid-out folder takes no space of its own."""
    done = export_store(lock.select(), blobs, tmp_path / "store")

    here, there = BlobFolder(done.folder), blobs
    assert all(here.path(digest).samefile(there.path(digest)) for digest in MODEL.blobs)
    assert (done.linked, done.copied) == (len(MODEL.blobs), 0)


def test_nothing_in_it_may_be_written(tmp_path: Path, lock: ModelLock, blobs: BlobFolder) -> None:
    """Folders and manifests carry no write permission for anybody."""
    folder = export_store(lock.select(), blobs, tmp_path / "store").folder

    written = [
        path
        for path in (folder, *folder.rglob("*"))
        if path.parent.name != "blobs" and path.stat().st_mode & 0o222
    ]
    assert written == []


def test_it_can_be_laid_out_again_with_other_models(
    tmp_path: Path, lock: ModelLock, blobs: BlobFolder
) -> None:
    """The old folder is replaced, and nothing is left beside it."""
    export_store(lock.select(), blobs, tmp_path / "stores" / "all")
    other = sample_model("other", seed=9)
    both = write_lock_of(tmp_path / "models.lock.json", MODEL, other)

    folder = export_store(
        both.select(), fetched(tmp_path / "more", MODEL, other), tmp_path / "stores" / "all"
    ).folder

    assert verify_store(both.select(), folder) == []
    assert [path.name for path in folder.parent.iterdir()] == ["all"]


@pytest.mark.parametrize(("fault", "again"), [("missing", ""), ("corrupted", "--rehash ")])
def test_what_is_not_whole_is_not_laid_out(
    tmp_path: Path, lock: ModelLock, blobs: BlobFolder, fault: str, again: str
) -> None:
    """Ollama itself does not look at the bytes; an earlier folder stays as it was."""
    weights = blobs.path(digest_of(dict(MODEL.layers)["model"]))
    content = weights.read_bytes()
    weights.unlink()
    if fault == "corrupted":
        weights.write_bytes(b"\0" + content[1:])

    with pytest.raises(ServiceMissing) as caught:
        export_store(lock.select(), blobs, tmp_path / "store")

    assert f"{fault}: model sha256:" in caught.value.render()
    assert caught.value.hint == f"ragbed models fetch {again}--model tiny:latest"
    assert not (tmp_path / "store").exists()


def test_a_folder_of_somebody_else_is_not_replaced(
    tmp_path: Path, lock: ModelLock, blobs: BlobFolder
) -> None:
    """An Ollama's own models folder looks like ours; without our mark it is left alone."""
    MODEL.write_folder(tmp_path / "theirs", lock["tiny"])

    with pytest.raises(UsageError, match="has not made it"):
        export_store(lock.select(), blobs, tmp_path / "theirs")

    assert verify_store(lock.select(), tmp_path / "theirs") == []


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, lock: ModelLock, blobs: BlobFolder) -> None:
    """By the name that was given, not by that of the folder that is filled first."""
    (tmp_path / "file").touch()

    with pytest.raises(UsageError, match=r"cannot make .*/file/store: "):
        export_store(lock.select(), blobs, tmp_path / "file" / "store")


def test_removing_a_folder_leaves_the_blobs(tmp_path: Path, lock: ModelLock, blobs: BlobFolder) -> None:
    """They belong to the folder they were fetched into."""
    remove_store(export_store(lock.select(), blobs, tmp_path / "store").folder)

    assert sorted(blobs.digests()) == sorted(MODEL.blobs)
    assert not (tmp_path / "store").exists()


def test_a_namespace_has_its_own_place(tmp_path: Path) -> None:
    """A model outside the library keeps its namespace."""
    lock = write_lock_of(tmp_path / "models.lock.json", sample_model("somebody/tiny"))

    path = lock["somebody/tiny"].manifest_in(tmp_path)

    assert path.relative_to(tmp_path).parts[1:] == ("registry.ollama.ai", "somebody", "tiny", "latest")


def test_only_unwanted_blobs_are_pruned(tmp_path: Path, lock: ModelLock) -> None:
    """Whole and unfinished blobs that no entry wants go; the others stay."""
    other = sample_model("other", seed=9)
    blobs = fetched(tmp_path / "models", MODEL, other)
    begun = blobs.path(digest_of(b"begun")).with_suffix(".partial")
    begun.write_bytes(b"beg")

    found = orphaned_blobs(lock, blobs)
    prune(found, blobs)

    extra = digest_of(dict(other.layers)["model"])
    assert sorted(one.digest for one in found) == sorted([extra, digest_of(b"begun")])
    assert (sorted(blobs.digests()), blobs.begun()) == (sorted(MODEL.blobs), [])
