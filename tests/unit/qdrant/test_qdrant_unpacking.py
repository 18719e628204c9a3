"""Forged snapshots are refused before they do harm, by what looks into them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import qdrant_edge as engine
from hostile_snapshots import REFUSED, Draft

from ragbed.qdrant import snapshots
from ragbed.qdrant.errors import ApiError, WrongInput
from ragbed.qdrant.restoring import restore
from ragbed.qdrant.shard import Shard
from ragbed.qdrant.translate.config import read_config

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BODY = {"vectors": {"size": 2, "distance": "Dot"}}


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A snapshot of one point."""
    folder = tmp_path_factory.mktemp("collection") / "shard"
    folder.mkdir()
    shard = Shard.create(folder, "a", read_config(BODY))
    shard.update(engine.UpdateOperation.upsert_points([engine.Point(1, [1.0, 2.0], {"n": 1})]))
    path = folder.parent / "snapshots" / "a.snapshot"
    snapshots.write(shard, path)
    shard.close()
    return path.read_bytes()


def restored(content: bytes, folder: Path, target: Any = None, max_bytes: int = 2**33) -> Any:
    """Return the configuration of a snapshot that is taken."""
    path = folder / "given"
    path.write_bytes(content)
    return restore(
        {
            "path": str(path),
            "url": "",
            "api_key": None,
            "checksum": None,
            "files": str(folder / "files"),
            "max_bytes": max_bytes,
            "target": target,
        }
    )


def test_a_good_snapshot_is_taken(good: bytes, tmp_path: Path) -> None:
    """As it is, and packed anew as the forged ones are."""
    (tmp_path / "b").mkdir()

    assert restored(good, tmp_path, target=BODY) == BODY
    assert restored(Draft(good).packed(), tmp_path / "b") == BODY


@pytest.mark.parametrize("forge", REFUSED.values(), ids=REFUSED)
def test_a_forged_snapshot_is_refused(good: bytes, tmp_path: Path, forge: Callable[[bytes], bytes]) -> None:
    """By itself, whatever it would replace; nothing lies beside its folder."""
    with pytest.raises(ApiError) as raised:
        restored(forge(good), tmp_path)

    assert raised.value.status in (400, 501)
    assert {path.name for path in tmp_path.iterdir()} <= {"given", "files"}


@pytest.mark.parametrize(
    "vectors",
    [
        {"size": 3, "distance": "Dot"},
        {"size": 2, "distance": "Cosine"},
        {"size": 2, "distance": "Dot", "datatype": "uint8"},
        {"b": {"size": 2, "distance": "Dot"}},
    ],
    ids=["size", "distance", "datatype", "name"],
)
def test_a_good_snapshot_must_fit_what_it_replaces(good: bytes, tmp_path: Path, vectors: Any) -> None:
    """Vectors of the same names, sizes and distances; how they are indexed may differ."""
    with pytest.raises(WrongInput, match="not compatible with existing collection"):
        restored(good, tmp_path, target={"vectors": vectors})


def test_reserved_space_takes_no_room(good: bytes, tmp_path: Path) -> None:
    """Zeros become holes, however they were packed."""
    draft = Draft(good)
    draft.add("zeros", bytes(2**26) + b"end")

    restored(draft.packed(), tmp_path)

    found = (tmp_path / "files" / "zeros").stat()
    assert (found.st_size, found.st_blocks * 512 < 2**22) == (2**26 + 3, True)


def test_files_are_limited_with_their_holes(good: bytes, tmp_path: Path) -> None:
    """What a setting allows is what they would be long on the disk."""
    with pytest.raises(WrongInput, match="--max-snapshot-mb"):
        restored(good, tmp_path, max_bytes=2**20)
