"""A state folder per test, and the end of whatever still runs in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fault_place import Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def prepared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache with the Postgres template, so that a test does not pay for initdb again."""
    place = Place(tmp_path_factory.mktemp("cache"))
    place.run("up", "-d")
    place.run("down")
    return place.folder.cache


@pytest.fixture
def place(tmp_path: Path, prepared_cache: Path) -> Iterator[Place]:
    """Yield a state folder of the test's own, whose stack ends with the test."""
    place = Place(tmp_path / "state")
    place.copy_cache(prepared_cache)
    yield place
    place.kill_all()
