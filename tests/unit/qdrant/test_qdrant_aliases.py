"""Aliases as the data folder keeps them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ragbed.qdrant.aliases import Aliases

if TYPE_CHECKING:
    from pathlib import Path


def test_an_alias_of_a_collection_that_is_gone_does_not_come_back(tmp_path: Path) -> None:
    """A server was killed between the deletion of a collection and that of its aliases; then one of that name comes."""
    path = tmp_path / "aliases.json"
    path.write_text(json.dumps({"lost": "gone", "kept": "there"}))

    at_first = Aliases.open(path, {"there"}).listed()
    later = Aliases.open(path, {"there", "gone"}).listed()

    assert at_first == later == [{"alias_name": "kept", "collection_name": "there"}]
