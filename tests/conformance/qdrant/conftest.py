"""The server that the suite judges: an embedded one, or the one that QDRANT_URL names."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from qdrant_conformance.record import is_embedded

from ragbed.contracts.vector_store.run import connect
from ragbed.contracts.vector_store.worlds import library
from ragbed.qdrant import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qdrant_client import QdrantClient

QDRANT_URL = os.environ.get("QDRANT_URL", "")
"""Read on import, before the suite's environment is made silent."""


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """Where the judged server answers."""
    if QDRANT_URL:
        yield QDRANT_URL
        return
    with running() as address:
        yield address


@pytest.fixture(scope="session")
def substitute(url: str) -> bool:
    """Whether the judged server is an embedded one."""
    return is_embedded(url)


@pytest.fixture(scope="session")
def client(url: str) -> Iterator[QdrantClient]:
    """A client of the judged server, on which the library is."""
    connected = connect(url)
    with library(connected):
        yield connected
    connected.close()
