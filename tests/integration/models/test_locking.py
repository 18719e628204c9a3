"""Adding to the lock: from a registry, a folder, a live server; what was stated before is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from faulty_registry import Registry, running
from listing_ollama import Listed, listing

from ragbed.errors import DriftError, ServiceMissing, UsageError
from ragbed.models import (
    BlobFolder,
    LiveServer,
    change,
    open_folder,
    open_source,
    read_entry,
    read_entry_of,
    updated,
    write_lock,
)
from ragbed.pins import load_model_lock
from sample_models import REGISTRY, digest_of, sample_model, write_lock_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ragbed.pins import ModelLock

MODEL = sample_model()
NEW = sample_model("new", seed=3)


@pytest.fixture
def lock(tmp_path: Path) -> ModelLock:
    """A lock of one model."""
    return write_lock_of(tmp_path / "models.lock.json", MODEL, license="MIT", context=128)


@pytest.fixture
def registry() -> Iterator[Registry]:
    """A registry with a model that is not locked."""
    with running(Registry(models=[NEW])) as registry:
        yield registry


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The models folder of an Ollama with that model."""
    pin = write_lock_of(tmp_path / "new.lock.json", NEW)["new"]
    NEW.write_folder(tmp_path / "theirs", pin)
    return tmp_path / "theirs"


def test_an_entry_from_a_registry_has_its_digest(registry: Registry, lock: ModelLock) -> None:
    """And what the config blob says of the weights."""
    pin = read_entry("new", open_source(registry.url), registry=REGISTRY)

    assert pin.digest == digest_of(NEW.manifest)
    assert (pin.purpose, pin.parameters, pin.quantization) == ("chat", "12K", "F16")


def test_the_new_lock_reads_back(registry: Registry, lock: ModelLock) -> None:
    """Written, it holds the entry and the set."""
    pin = read_entry("new", open_source(registry.url), registry=REGISTRY)

    write_lock(updated(lock, pin, into="more"))

    assert load_model_lock(lock.path).sets["more"] == ("new:latest",)
    assert [path.name for path in lock.path.parent.glob(".models*")] == []


def test_the_change_is_shown_as_a_diff(registry: Registry, lock: ModelLock) -> None:
    """Lines that are added stand with a plus."""
    pin = read_entry("new", open_source(registry.url), registry=REGISTRY)

    shown = change(lock, updated(lock, pin))

    assert f'+      "digest": "{digest_of(NEW.manifest)}",' in shown.splitlines()


def test_nothing_new_changes_nothing(tmp_path: Path, lock: ModelLock) -> None:
    """Locking the same model again changes nothing but what it says more of itself."""
    MODEL.write_folder(tmp_path / "same", lock["tiny"])
    first = updated(lock, read_entry("tiny", open_folder(tmp_path / "same"), registry=REGISTRY))

    again = updated(first, read_entry("tiny", open_folder(tmp_path / "same"), registry=REGISTRY))

    assert change(first, again) == ""


def test_what_was_stated_is_kept(tmp_path: Path, lock: ModelLock) -> None:
    """A licence comes from its publisher, not from the registry."""
    moved = sample_model(seed=8)
    moved.write_folder(tmp_path / "moved", lock["tiny"])

    new = updated(lock, read_entry("tiny", open_folder(tmp_path / "moved"), registry=REGISTRY))

    assert (new["tiny"].license, new["tiny"].context) == ("MIT", 128)
    assert new["tiny"].digest == digest_of(moved.manifest)


def test_an_entry_from_a_live_server_knows_more(folder: Path, lock: ModelLock) -> None:
    """The server tells context and digest; the manifest comes from the folder that it names."""
    pin = write_lock_of(folder.parent / "x.json", NEW)["new"]
    with listing(Listed()) as listed:
        listed.add(NEW, pin, folder=folder)

        entry = read_entry_of("new", LiveServer(listed.url), registry=REGISTRY)

    assert (entry.digest, entry.context, entry.purpose) == (digest_of(NEW.manifest), 128, "chat")


def test_a_server_whose_folder_is_elsewhere_cannot_be_locked(folder: Path) -> None:
    """Its API gives no manifest; the refusal says what to do."""
    pin = write_lock_of(folder.parent / "x.json", NEW)["new"]
    with listing(Listed()) as listed:
        listed.add(NEW, pin, folder="/no/such/folder")
        with pytest.raises(ServiceMissing, match="its manifest cannot be read here") as caught:
            read_entry_of("new", LiveServer(listed.url), registry=REGISTRY)

    assert caught.value.hint == "ragbed models lock new:latest --registry URL, or --from DIR"


def test_a_server_that_lists_another_digest_is_drift(folder: Path) -> None:
    """What it says and what its folder has must agree."""
    pin = write_lock_of(folder.parent / "x.json", NEW)["new"]
    with listing(Listed()) as listed:
        listed.add(NEW, pin, folder=folder)
        listed.tags["new:latest"]["digest"] = "0" * 64
        with pytest.raises(DriftError, match="lists new:latest as sha256:0000"):
            read_entry_of("new", LiveServer(listed.url), registry=REGISTRY)


@pytest.mark.parametrize("name", ["../../etc/passwd", "a b", "", "name:../tag", "a/b/c"])
def test_a_name_that_leads_elsewhere_is_refused(name: str, folder: Path) -> None:
    """A name is a name, never a path."""
    with pytest.raises(UsageError, match="is not a model's name"):
        read_entry(name, open_folder(folder), registry=REGISTRY)


def test_a_config_with_other_bytes_is_drift(folder: Path) -> None:
    """Nothing is locked from what does not fit together."""
    BlobFolder(folder).path(digest_of(NEW.config)).write_bytes(b"{}")

    with pytest.raises(DriftError, match="gives other bytes for the config of new"):
        read_entry("new", open_folder(folder), registry=REGISTRY)
