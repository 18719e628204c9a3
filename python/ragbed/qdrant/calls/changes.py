"""Endpoints that change a collection: its settings, and the vectors it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ragbed.qdrant.calls.call import ApiRoute
from ragbed.qdrant.translate.config import check_strict_mode, read_config
from ragbed.qdrant.translate.config_updates import patched
from ragbed.qdrant.translate.vector_names import (
    drop_vector,
    read_vector_name,
    with_vector,
    without_vector,
)

if TYPE_CHECKING:
    from ragbed.qdrant.calls.call import Call


def update_collection(call: Call) -> Any:
    """Change a collection's settings."""
    shard, body = call.shard, call.body
    changed = patched(shard.config.body, body)
    check_strict_mode(body)
    call.collections.configure(shard.name, read_config(changed))
    return True


def create_vector(call: Call) -> Any:
    """Give a collection another vector; the points that are there lack it at first."""
    shard, name, body = call.shard, call.path["vector_name"], call.body
    operation = read_vector_name(name, body)
    config = read_config(with_vector(shard.config.body, name, body))
    number = shard.update(operation)
    call.collections.configure(shard.name, config)
    return {"operation_id": number, "status": "completed" if call.wait else "acknowledged"}


def delete_vector(call: Call) -> Any:
    """Take a vector away from a collection, and from all its points; nothing happens where there is no such vector."""
    shard, name = call.shard, call.path["vector_name"]
    known = name in shard.config.schema
    number = shard.update(drop_vector(name))
    if known:
        call.collections.configure(shard.name, read_config(without_vector(shard.config.body, name)))
    return {"operation_id": number, "status": "completed" if call.wait else "acknowledged"}


VECTORS = "/collections/{name}/vectors/{vector_name}"
ENDPOINTS = (
    ApiRoute(method="PATCH", path="/collections/{name}", answer=update_collection, turn="all"),
    ApiRoute(method="PUT", path=VECTORS, answer=create_vector, turn="collection"),
    ApiRoute(method="DELETE", path=VECTORS, answer=delete_vector, turn="collection"),
)
"""Every endpoint of this module."""
