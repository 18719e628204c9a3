"""Folders that are not a corpus, or a hostile one: what can be read is read, the rest is named."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from fault_place import Place


def good(folder: Path) -> None:
    """Write a document that can be read."""
    (folder / "good.md").write_text("# Leases\n\nA lease is written before its process starts.\n")


def test_garbage_among_documents_is_listed_and_the_rest_is_read(place: Place) -> None:
    """Bytes that are no text, broken front matter and empty files do not keep the good document out."""
    folder = place.root.parent / "corpus"
    folder.mkdir()
    good(folder)
    (folder / "bytes.md").write_bytes(os.urandom(4096))
    (folder / "nul.txt").write_bytes(b"\x00" * 1000)
    (folder / "empty.md").write_text("")
    (folder / "front.md").write_text("---\na: [1,\n---\n# Broken\n\nText.\n")
    (folder / "line.txt").write_text("word " * 200_000)
    (folder / "loop.md").symlink_to(folder / "loop.md")
    (folder / "folder.md").mkdir()
    place.run("up", "-d")

    outcome = place.run("ingest", str(folder), "--json", timeout_s=120)
    report = json.loads(outcome.out)

    assert outcome.code == 1
    assert {"bytes.md", "nul.txt", "loop.md"} <= {entry["path"] for entry in report["unreadable"]}
    assert report["documents"] >= 2
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize("content", [None, b"", os.urandom(1000)], ids=["no-file", "empty-file", "bytes"])
def test_smoke_on_a_folder_without_documents_says_so(place: Place, content: bytes | None) -> None:
    """A corpus in which nothing can be read fails the stage `corpus` with 1 and says why."""
    folder = place.root.parent / "corpus"
    folder.mkdir()
    if content is not None:
        (folder / "only.md").write_bytes(content)

    outcome = place.run("smoke", "--corpus", str(folder))

    assert outcome.code == 1
    assert f"corpus failed: no document in {folder} could be read" in outcome.err
    assert place.left() == []
