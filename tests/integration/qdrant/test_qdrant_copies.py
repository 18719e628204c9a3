"""A collection whose files are being copied, for an index or for a snapshot."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

import pytest
from qdrant_edge import CountRequest, Point, UpdateOperation
from qdrant_server import until

from ragbed.qdrant.errors import NotFound
from ragbed.qdrant.folder import copy_tree
from ragbed.qdrant.opening import load
from ragbed.qdrant.shard import Shard
from ragbed.qdrant.snapshots import write
from ragbed.qdrant.translate.config import read_config

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONFIG = read_config({"vectors": {"size": 2, "distance": "Dot"}})
WRITES = 10


@pytest.fixture
def shard(tmp_path: Path) -> Iterator[Shard]:
    """An open collection with a point in its segments and others in its log."""
    folder = tmp_path / "shard"
    folder.mkdir()
    shard = Shard.create(folder, "known", CONFIG)
    for number in range(WRITES):
        shard.update(point(number))
        shard.wrote(1)
        if not number:
            shard.flush()
    yield shard
    shard.close()


def point(number: int) -> UpdateOperation:
    """Return the write of a point."""
    return UpdateOperation.upsert_points([Point(number, {"": [1.0, 2.0]}, {"n": number})])


def test_what_is_written_is_in_a_copy_whatever_the_log_does_meanwhile(shard: Shard, tmp_path: Path) -> None:
    """The log is not emptied between the copy of the segments, which lack the writes, and its own."""
    copy = tmp_path / "copy"
    with shard.copying():
        copy_tree(shard.folder / "segments", copy / "segments")
        shard.flush()
        for left in (shard.folder / "wal", shard.folder / "edge_config.json"):
            if left.is_dir():
                copy_tree(left, copy / left.name)
            else:
                (copy / left.name).write_bytes(left.read_bytes())
    shard.forget_copy()

    assert load(copy, CONFIG).info().points_count == WRITES


def test_the_log_is_emptied_after_the_copy(shard: Shard) -> None:
    """What was put off is not forgotten."""
    with shard.copying():
        shard.flush()
    shard.forget_copy()
    waiting = shard.unflushed_bytes

    shard.flush()

    assert (waiting > 0, shard.unflushed_bytes) == (True, 0)


def test_reads_go_on_while_a_snapshot_copies_the_files(shard: Shard, tmp_path: Path) -> None:
    """However long that takes: here, until somebody writes to a pipe among the files."""
    pipe, copy = shard.folder / "pipe", tmp_path / "copy"
    os.mkfifo(pipe)
    with ThreadPoolExecutor() as pool:
        copied = pool.submit(shard.copy_to, copy)
        assert until(copy.is_dir, within_s=10)
        counted = pool.submit(shard.count, CountRequest())
        answered, _ = wait([counted], timeout=10)
        went_on = not copied.done()
        pipe.write_bytes(b"")

    assert (answered, went_on, counted.result(), copied.result()) == ({counted}, True, WRITES, CONFIG)


def test_a_collection_is_not_closed_while_its_files_are_copied(shard: Shard) -> None:
    """To close it would empty its log, however long nobody called for it."""
    with shard.copying():
        closed = shard.close_idle()
    shard.forget_copy()

    assert not closed


def test_a_snapshot_of_a_collection_whose_folder_is_gone_finds_none(shard: Shard, tmp_path: Path) -> None:
    """It was deleted in the middle; the client hears what it would have heard a moment later."""
    with pytest.raises(NotFound, match="Collection `known` doesn't exist!"):
        write(shard, tmp_path / "deleted" / "snapshots" / "one.snapshot")
