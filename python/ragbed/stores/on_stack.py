"""The stores of a stack that is up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragbed.stack.addresses import qdrant_key
from ragbed.stores.llm import LlmStore
from ragbed.stores.postgres import PostgresStore
from ragbed.stores.qdrant import QdrantStore
from ragbed.stores.redis import RedisStore

if TYPE_CHECKING:
    from ragbed.settings import Settings
    from ragbed.stack import Stack
    from ragbed.stores.port import IsolatedStore


def stores_of(stack: Stack, settings: Settings) -> list[IsolatedStore]:
    """Return the stores of a stack, in the order in which a snapshot takes them.

    Postgres says which documents there are, so it comes first: what Qdrant holds beyond it is found and mended by the
    next ingest, and what it lacks would not be.

    Args:
        stack: Where the services answer; one that it does not have is left out.
        settings: The resolved settings, for Qdrant's key.
    """
    endpoints = stack.endpoints
    stores: list[IsolatedStore] = []
    if endpoint := endpoints.get("postgres"):
        stores.append(PostgresStore(endpoint))
    if endpoint := endpoints.get("redis"):
        stores.append(RedisStore(endpoint))
    if endpoint := endpoints.get("qdrant"):
        stores.append(QdrantStore(endpoint, api_key=qdrant_key(settings, endpoint.url)))
    if endpoint := endpoints.get("ollama"):
        stores.append(LlmStore(endpoint))
    return stores
