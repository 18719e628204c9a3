"""Endpoints of collections and aliases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ragbed.qdrant.aliases import AliasAction
from ragbed.qdrant.calls.call import ApiRoute
from ragbed.qdrant.errors import FormatError
from ragbed.qdrant.translate.config import check_strict_mode, read_config
from ragbed.qdrant.translate.fields import fields, list_of, text
from ragbed.qdrant.translate.payload_indexes import index_json
from ragbed.qdrant.translate.vector_names import check_vector_names

if TYPE_CHECKING:
    from ragbed.qdrant.calls.call import Call


def list_collections(call: Call) -> Any:
    """Return every collection's name."""
    return {"collections": [{"name": name} for name in call.collections.names()]}


def create_collection(call: Call) -> Any:
    """Create a collection."""
    config = read_config(call.body)
    check_vector_names(config.schema)
    check_strict_mode(config.body)
    call.collections.create(call.name, config)
    return True


def collection_info(call: Call) -> Any:
    """Return counts, configuration and payload indexes."""
    shard = call.shard
    info = shard.info()
    failure = call.collections.failure(shard)
    return {
        "status": call.collections.status(shard, info),
        "optimizer_status": {"error": failure} if failure else "ok",
        "indexed_vectors_count": info.indexed_vectors_count,
        "points_count": info.points_count,
        "segments_count": info.segments_count,
        "update_queue": {"length": 0},
        "config": shard.config.describe(),
        "payload_schema": {key: index_json(index) for key, index in sorted(info.payload_schema.items())},
    }


def collection_exists(call: Call) -> Any:
    """Say whether a collection, or an alias of one, has the name."""
    return {"exists": call.collections.exists(call.name)}


def delete_collection(call: Call) -> Any:
    """Delete a collection; false when there was none."""
    return call.collections.delete(call.name)


def list_aliases(call: Call) -> Any:
    """Return every alias."""
    return {"aliases": call.collections.aliases.listed()}


def list_collection_aliases(call: Call) -> Any:
    """Return the aliases of one collection; none of one that is not there, or of an alias."""
    return {"aliases": call.collections.aliases.listed(call.name)}


def change_aliases(call: Call) -> Any:
    """Apply alias actions, all or none."""
    with fields(call.body) as members:
        actions = members.required("actions", list_of(read_action))
    call.collections.change_aliases(actions)
    return True


def read_action(value: Any, path: str) -> AliasAction:
    """Return one alias action: `create_alias`, `delete_alias` or `rename_alias`."""
    with fields(value, path) as members:
        for name, read in ACTIONS.items():
            if name in members:
                action: AliasAction = members.required(name, read)
                return action
    raise FormatError(f"data did not match any variant of an alias action at `{path}`")


def _create(value: Any, path: str) -> AliasAction:
    with fields(value, path) as members:
        return AliasAction(
            kind="create",
            alias=members.required("alias_name", text),
            to=members.required("collection_name", text),
        )


def _delete(value: Any, path: str) -> AliasAction:
    with fields(value, path) as members:
        return AliasAction(kind="delete", alias=members.required("alias_name", text))


def _rename(value: Any, path: str) -> AliasAction:
    with fields(value, path) as members:
        return AliasAction(
            kind="rename",
            alias=members.required("old_alias_name", text),
            to=members.required("new_alias_name", text),
        )


ACTIONS: dict[str, Any] = {"create_alias": _create, "delete_alias": _delete, "rename_alias": _rename}

ENDPOINTS = (
    ApiRoute(method="GET", path="/collections", answer=list_collections),
    ApiRoute(method="POST", path="/collections/aliases", answer=change_aliases, turn="all"),
    ApiRoute(method="GET", path="/aliases", answer=list_aliases),
    ApiRoute(method="PUT", path="/collections/{name}", answer=create_collection, turn="all"),
    ApiRoute(method="GET", path="/collections/{name}", answer=collection_info),
    ApiRoute(method="DELETE", path="/collections/{name}", answer=delete_collection, turn="all"),
    ApiRoute(method="GET", path="/collections/{name}/exists", answer=collection_exists),
    ApiRoute(method="GET", path="/collections/{name}/aliases", answer=list_collection_aliases),
)
"""Every endpoint of this module."""
