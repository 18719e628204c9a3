"""Copies of the engine's files, holes as holes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ragbed.qdrant.folder import copy_tree

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1024 * 1024


@pytest.mark.parametrize(
    "parts",
    [{}, {0: b"x"}, {5 * MIB: b"late"}, {0: b"a" * 9 * MIB}, {0: b"early", 7 * MIB: b"late"}],
    ids=["nothing", "short", "hole first", "longer than a read", "hole between"],
)
def test_copy_has_the_same_bytes_and_no_more_blocks(tmp_path: Path, parts: dict[int, bytes]) -> None:
    """Whatever the holes, one at the end included."""
    source = tmp_path / "source" / "deep" / "file"
    source.parent.mkdir(parents=True)
    with source.open("wb") as file:
        for start, content in parts.items():
            file.seek(start)
            file.write(content)
        file.truncate(16 * MIB)

    copy_tree(tmp_path / "source", tmp_path / "copy")

    copied = tmp_path / "copy" / "deep" / "file"
    assert copied.read_bytes() == source.read_bytes()
    assert copied.stat().st_blocks <= source.stat().st_blocks + 16
