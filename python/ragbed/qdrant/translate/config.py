"""How a collection is configured: read when it is created or changed, and again whenever it is opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import qdrant_edge as engine

from ragbed.qdrant.errors import Unsupported, WrongInput
from ragbed.qdrant.translate.fields import boolean, choice, fields, integer, mapping
from ragbed.qdrant.translate.indexing import (
    HNSW_DEFAULTS,
    OPTIMIZER_DEFAULTS,
    WAL_DEFAULTS,
    hnsw_index,
    read_hnsw,
    read_optimizers,
    read_wal,
)
from ragbed.qdrant.translate.quantization import read_quantization
from ragbed.qdrant.translate.schema import VectorKind
from ragbed.qdrant.translate.storage import read_storage
from ragbed.qdrant.translate.vector_params import is_unnamed, read_sparse_vectors, read_vectors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ragbed.qdrant.translate.fields import Fields

SEARCH_THREADS = 1
"""Threads of each collection's search pool: more gained nothing, and cost eight of them by default."""

PLACEHOLDER = "ragbed-no-vectors"
"""Sparse vector, hidden from clients, of a collection that has none: the engine asks for one."""

PARAM_DEFAULTS = {
    "shard_number": 1,
    "replication_factor": 1,
    "write_consistency_factor": 1,
    "on_disk_payload": True,
}
STRICT_MODE_FROM_ONE = (
    "max_query_limit",
    "max_timeout",
    "read_rate_limit",
    "write_rate_limit",
    "max_points_count",
)
SHOWN_IF_GIVEN = (
    "sparse_vectors",
    "payload",
    "sharding_method",
    "read_fan_out_factor",
    "read_fan_out_delay_ms",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionConfig:
    """What a collection was created with.

    Attributes:
        body: The request, as JSON, unchanged; read again when the collection is opened.
        engine: The engine's form of it.
        schema: Its vectors by name; the unnamed one is `""`.
    """

    body: dict[str, Any]
    engine: engine.EdgeConfig
    schema: Mapping[str, VectorKind]

    def describe(self) -> dict[str, Any]:
        """Return the configuration as collection info shows it: what was asked for, over Qdrant's defaults."""
        given = {name: value for name, value in self.body.items() if value is not None}
        params = {name: given.get(name, value) for name, value in PARAM_DEFAULTS.items()}
        params["vectors"] = given.get("vectors", {})
        params |= {name: given[name] for name in SHOWN_IF_GIVEN if name in given}
        described = {
            "params": params,
            "hnsw_config": _over(HNSW_DEFAULTS, given.get("hnsw_config")),
            "optimizer_config": _over(OPTIMIZER_DEFAULTS, given.get("optimizers_config")),
            "wal_config": _over(WAL_DEFAULTS, given.get("wal_config")),
            "quantization_config": given.get("quantization_config"),
            "strict_mode_config": given.get("strict_mode_config"),
        }
        return described | {name: given[name] for name in ("metadata",) if name in given}

    def require_vectors_of(self, other: CollectionConfig) -> None:
        """Refuse files that would not fit a collection of another configuration; raise WrongInput."""
        mine, theirs = _shapes(self), _shapes(other)
        if mine != theirs:
            raise WrongInput(
                "Snapshot is not compatible with existing collection:"
                f" Collection vectors: {theirs} Snapshot vectors: {mine}"
            )


def _shapes(config: CollectionConfig) -> dict[str, tuple[Any, ...]]:
    """Return what each vector's numbers are, by its name; how they are indexed is left out."""
    given = config.body.get("vectors") or {}
    dense = {"": given} if is_unnamed(given) else given
    shapes: dict[str, tuple[Any, ...]] = dict.fromkeys(config.body.get("sparse_vectors") or {}, ("sparse",))
    for name, params in dense.items():
        kept = params.get("datatype") or "float32"
        multi = "multi" if params.get("multivector_config") else "single"
        shapes[name] = (params["size"], params["distance"], kept, multi)
    return shapes


def _over(defaults: dict[str, Any], given: dict[str, Any] | None) -> dict[str, Any]:
    return defaults | {name: value for name, value in (given or {}).items() if value is not None}


def read_config(body: Any) -> CollectionConfig:
    """Return the configuration that a `PUT /collections/{name}` body asks for.

    Raises:
        FormatError: Something is unknown or of the wrong type.
        InvalidValue: A number is outside its range.
        Unsupported: A real server would honour a parameter that this one cannot.
    """
    with fields(body) as members:
        _distribution(members)
        hnsw = members.maybe("hnsw_config", read_hnsw) or {}
        optimizers = members.maybe("optimizers_config", read_optimizers)
        dense = members.maybe("vectors", lambda value, path: read_vectors(value, path, hnsw)) or {}
        sparse = members.maybe("sparse_vectors", read_sparse_vectors) or {}
        on_disk_payload = members.maybe("on_disk_payload", boolean)
        payload_memory = members.maybe("payload", _payload_memory)
        quantization = members.maybe("quantization_config", read_quantization)
    if clash := dense.keys() & sparse.keys():
        reason = f"Dense and sparse vector names must be unique - duplicate found with '{min(clash)}'"
        raise WrongInput(reason)
    config = engine.EdgeConfig(
        vectors={name: params for name, (params, _) in dense.items()},
        sparse_vectors=sparse if dense or sparse else {PLACEHOLDER: engine.EdgeSparseVectorParams()},
        on_disk_payload=on_disk_payload,
        payload_memory=payload_memory,
        hnsw_config=hnsw_index(hnsw) if hnsw else None,
        optimizers=optimizers,
        quantization_config=quantization,
        max_search_threads=SEARCH_THREADS,
    )
    schema = {name: kind for name, (_, kind) in dense.items()} | dict.fromkeys(
        sparse, VectorKind(sparse=True)
    )
    return CollectionConfig(body=body, engine=config, schema=schema)


def _distribution(members: Fields) -> None:
    """Take what spreads a collection over machines, or says something about it; on one, it changes no result."""
    for name in ("shard_number", "replication_factor", "write_consistency_factor"):
        members.maybe(name, integer(1))
    for name in ("read_fan_out_factor", "read_fan_out_delay_ms"):
        members.maybe(name, integer(0))
    members.maybe("sharding_method", _sharding)
    members.maybe("wal_config", read_wal)
    members.maybe("metadata", mapping)
    members.maybe("strict_mode_config", _strict_mode)


def _sharding(value: Any, path: str) -> None:
    if choice({"auto": False, "custom": True})(value, path):
        raise Unsupported(f"`{path}`: custom")


def _strict_mode(value: Any, path: str) -> None:
    if mapping(value, path).get("enabled"):
        raise Unsupported(f"`{path}.enabled`")


def check_strict_mode(body: dict[str, Any]) -> None:
    """Refuse limits out of their range, in force or not; older collections may have some."""
    given = body.get("strict_mode_config") or {}
    for name in STRICT_MODE_FROM_ONE:
        if given.get(name) is not None:
            integer(1)(given[name], f"strict_mode_config.{name}")


def _payload_memory(value: Any, path: str) -> engine.Memory | None:
    with fields(value, path) as members:
        return members.maybe("memory", read_storage)
