"""Changes of a collection's configuration: `PATCH /collections/{name}`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ragbed.qdrant.errors import WrongInput
from ragbed.qdrant.translate.fields import fields, mapping
from ragbed.qdrant.translate.schema import DEFAULT
from ragbed.qdrant.translate.vector_params import is_unnamed

if TYPE_CHECKING:
    from ragbed.qdrant.translate.fields import Fields

DISABLED = "Disabled"
"""Word that takes quantization away."""

PARAMS = (
    "replication_factor",
    "write_consistency_factor",
    "read_fan_out_factor",
    "read_fan_out_delay_ms",
    "on_disk_payload",
    "payload",
)


def patched(config: dict[str, Any], patch: Any) -> dict[str, Any]:
    """Return a configuration as a patch leaves it; its values are checked when it is read.

    Args:
        config: What the collection was created with.
        patch: The request's body.

    Raises:
        FormatError: The patch has a part that cannot be changed.
        WrongInput: The collection has no vector of a name.
    """
    changed = dict(config)
    with fields(patch) as members:
        for name in ("hnsw_config", "optimizers_config", "strict_mode_config"):
            _merge(members, name, changed)
        _metadata(members, changed)
        _quantization(members, changed)
        if (params := members.maybe("params", _params)) is not None:
            changed |= params
        if (dense := members.maybe("vectors", mapping)) is not None:
            changed["vectors"] = _vectors(config.get("vectors") or {}, dense)
        if (sparse := members.maybe("sparse_vectors", mapping)) is not None:
            changed["sparse_vectors"] = _merged(config.get("sparse_vectors") or {}, sparse)
    return changed


def _merge(members: Fields, name: str, into: dict[str, Any]) -> None:
    given = members.maybe(name, mapping)
    if given is not None:
        into[name] = (into.get(name) or {}) | {key: item for key, item in given.items() if item is not None}


def _metadata(members: Fields, into: dict[str, Any]) -> None:
    """Merge metadata; unlike elsewhere, null takes a key away."""
    given = members.maybe("metadata", mapping)
    if given is not None:
        merged = (into.get("metadata") or {}) | given
        into["metadata"] = {key: item for key, item in merged.items() if item is not None}


def _quantization(members: Fields, into: dict[str, Any]) -> None:
    given = members.maybe("quantization_config", lambda value, _: value)
    if given is not None:
        into["quantization_config"] = None if given == DISABLED else given


def _params(value: Any, path: str) -> dict[str, Any]:
    with fields(value, path) as members:
        given = {name: members.maybe(name, lambda item, _: item) for name in PARAMS}
    return {name: item for name, item in given.items() if item is not None}


def _vectors(vectors: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    if not is_unnamed(vectors):
        return _merged(vectors, patch)
    merged: dict[str, Any] = _merged({DEFAULT: vectors}, patch)[DEFAULT]
    return merged


def _merged(vectors: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    changed = dict(vectors)
    for name, value in patch.items():
        if name not in vectors:
            raise WrongInput(f"Not existing vector name error: {name}")
        changed[name] = _vector(dict(vectors[name] or {}), value, f"vectors.{name}")
    return changed


def _vector(params: dict[str, Any], value: Any, path: str) -> dict[str, Any]:
    with fields(value, path) as members:
        for name in ("hnsw_config", "index"):
            _merge(members, name, params)
        _quantization(members, params)
        for name in ("on_disk", "memory", "modifier"):
            given = members.maybe(name, lambda item, _: item)
            if given is not None:
                params[name] = given
    return params
