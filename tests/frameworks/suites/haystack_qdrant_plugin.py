"""Loaded by pytest in qdrant-haystack's tests, which ask for `:memory:`: they get the server of `QDRANT_URL`, empty."""

from __future__ import annotations

import os
from typing import Any

import qdrant_client

URL = os.environ["QDRANT_URL"]


def _place(location: str | None) -> str | None:
    return URL if location == ":memory:" else location


class Client(qdrant_client.QdrantClient):
    """The client, on the server instead of its local mode."""

    def __init__(self, location: str | None = None, **rest: Any) -> None:
        super().__init__(_place(location), **rest)


class AsyncClient(qdrant_client.AsyncQdrantClient):
    """The same, asynchronous."""

    def __init__(self, location: str | None = None, **rest: Any) -> None:
        super().__init__(_place(location), **rest)


def pytest_runtest_setup() -> None:
    """Empty the server, as a store in memory would be."""
    with_server = Client(URL)
    for collection in with_server.get_collections().collections:
        with_server.delete_collection(collection.name)
    with_server.close()


qdrant_client.QdrantClient = Client  # type: ignore[misc]
qdrant_client.AsyncQdrantClient = AsyncClient  # type: ignore[misc]
