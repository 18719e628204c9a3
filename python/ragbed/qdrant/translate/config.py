"""How a collection is configured: read once when it is created, and again whenever it is opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import qdrant_edge as engine

from ragbed.qdrant.errors import InvalidValue, Unsupported
from ragbed.qdrant.translate.fields import boolean, choice, fields, integer, mapping, number
from ragbed.qdrant.translate.vectors import DEFAULT, VectorKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ragbed.qdrant.translate.fields import Fields

MAX_SIZE = 65_536
DISTANCES = {name: getattr(engine.Distance, name) for name in ("Cosine", "Euclid", "Dot", "Manhattan")}
MEMORY = {
    "cold": engine.Memory.Cold,
    "cached": engine.Memory.Cached,
    "pinned": engine.Memory.Pinned,
}
DATATYPES = {
    "float32": engine.VectorStorageDatatype.Float32,
    "float16": engine.VectorStorageDatatype.Float16,
    "uint8": engine.VectorStorageDatatype.Uint8,
}
SEARCH_THREADS = 1
"""Threads of each collection's search pool: more gained nothing, and cost eight of them by default."""

HNSW_DEFAULTS = {
    "m": 16,
    "ef_construct": 100,
    "full_scan_threshold": 10_000,
    "max_indexing_threads": 0,
    "on_disk": False,
}
OPTIMIZER_DEFAULTS = {
    "deleted_threshold": 0.2,
    "vacuum_min_vector_number": 1000,
    "default_segment_number": 0,
    "max_segment_size": None,
    "memmap_threshold": None,
    "indexing_threshold": 10_000,
    "flush_interval_sec": 5,
    "max_optimization_threads": None,
}
WAL_DEFAULTS = {"wal_capacity_mb": 32, "wal_segments_ahead": 0, "wal_retain_closed": 1}
PARAM_DEFAULTS = {
    "shard_number": 1,
    "replication_factor": 1,
    "write_consistency_factor": 1,
    "on_disk_payload": True,
}


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
        params |= {name: given[name] for name in ("sparse_vectors", "payload") if name in given}
        described = {
            "params": params,
            "hnsw_config": _over(HNSW_DEFAULTS, given.get("hnsw_config")),
            "optimizer_config": _over(OPTIMIZER_DEFAULTS, given.get("optimizers_config")),
            "wal_config": _over(WAL_DEFAULTS, given.get("wal_config")),
            "quantization_config": None,
        }
        return described | {name: given[name] for name in ("metadata",) if name in given}


def _over(defaults: dict[str, Any], given: dict[str, Any] | None) -> dict[str, Any]:
    return defaults | {name: value for name, value in (given or {}).items() if value is not None}


def read_config(body: Any) -> CollectionConfig:
    """Return the configuration that a `PUT /collections/{name}` body asks for.

    Raises:
        FormatError: Something is unknown or of the wrong type.
        InvalidValue: A number is outside its range.
        Unsupported: A real server would honour a parameter that this one cannot.
    """
    with fields(body) as found:
        _distribution(found)
        hnsw = found.maybe("hnsw_config", read_hnsw) or {}
        optimizers = found.maybe("optimizers_config", _optimizers)
        dense = found.maybe("vectors", lambda value, path: _vectors(value, path, hnsw)) or {}
        sparse = found.maybe("sparse_vectors", _sparse_vectors) or {}
        on_disk_payload = found.maybe("on_disk_payload", boolean)
        payload_memory = found.maybe("payload", _payload_memory)
    if not dense and not sparse:
        raise Unsupported("a collection without vectors")
    if clash := dense.keys() & sparse.keys():
        raise InvalidValue("sparse_vectors", f"`{min(clash)}` is the name of a dense vector too")
    config = engine.EdgeConfig(
        vectors={name: params for name, (params, _) in dense.items()},
        sparse_vectors=sparse,
        on_disk_payload=on_disk_payload,
        payload_memory=payload_memory,
        hnsw_config=_hnsw_index(hnsw) if hnsw else None,
        optimizers=optimizers,
        max_search_threads=SEARCH_THREADS,
    )
    schema = {name: kind for name, (_, kind) in dense.items()} | dict.fromkeys(
        sparse, VectorKind(sparse=True)
    )
    return CollectionConfig(body=body, engine=config, schema=schema)


def _distribution(found: Fields) -> None:
    """Take what spreads a collection over machines; on one it changes no result."""
    for name in ("shard_number", "replication_factor", "write_consistency_factor"):
        found.maybe(name, integer(1))
    found.maybe("sharding_method", _sharding)
    found.maybe("wal_config", _wal)
    found.maybe("metadata", mapping)
    found.maybe("strict_mode_config", _strict_mode)
    found.unsupported("quantization_config")


def _sharding(value: Any, path: str) -> None:
    if choice({"auto": False, "custom": True})(value, path):
        raise Unsupported(f"`{path}`: custom")


def _strict_mode(value: Any, path: str) -> None:
    if mapping(value, path).get("enabled"):
        raise Unsupported(f"`{path}.enabled`")


def _wal(value: Any, path: str) -> None:
    with fields(value, path) as found:
        found.maybe("wal_capacity_mb", integer(1))
        found.maybe("wal_segments_ahead", integer(0))
        found.maybe("wal_retain_closed", integer(1))


def _payload_memory(value: Any, path: str) -> engine.Memory | None:
    with fields(value, path) as found:
        return found.maybe("memory", choice(MEMORY))


def _vectors(
    value: Any, path: str, hnsw: dict[str, Any]
) -> dict[str, tuple[engine.EdgeVectorParams, VectorKind]]:
    names = mapping(value, path)
    if "size" in names and not isinstance(names["size"], dict):
        return {DEFAULT: _vector(value, path, hnsw)}
    return {name: _vector(item, f"{path}.{name}", hnsw) for name, item in names.items()}


def _vector(
    value: Any, path: str, collection_hnsw: dict[str, Any]
) -> tuple[engine.EdgeVectorParams, VectorKind]:
    with fields(value, path) as found:
        found.unsupported("quantization_config")
        size = found.required("size", integer(1, MAX_SIZE))
        hnsw, multi = found.maybe("hnsw_config", read_hnsw), found.maybe("multivector_config", _multi)
        params = engine.EdgeVectorParams(
            size=size,
            distance=found.required("distance", choice(DISTANCES)),
            on_disk=found.maybe("on_disk", boolean),
            memory=found.maybe("memory", choice(MEMORY)),
            datatype=found.maybe("datatype", choice(DATATYPES)),
            multivector_config=multi,
            hnsw_config=_hnsw_index(collection_hnsw | hnsw) if hnsw else None,
        )
    return params, VectorKind(size=size, multi=multi is not None)


def _multi(value: Any, path: str) -> engine.MultiVectorConfig:
    with fields(value, path) as found:
        comparators = choice({"max_sim": engine.MultiVectorComparator.MaxSim})
        return engine.MultiVectorConfig(found.required("comparator", comparators))


def _sparse_vectors(value: Any, path: str) -> dict[str, engine.EdgeSparseVectorParams]:
    return {name: _sparse(item, f"{path}.{name}") for name, item in mapping(value, path).items()}


def _sparse(value: Any, path: str) -> engine.EdgeSparseVectorParams:
    modifiers = choice({"none": None, "idf": engine.Modifier.Idf})
    with fields(value, path) as found:
        index = found.maybe("index", _sparse_index) or {}
        return engine.EdgeSparseVectorParams(modifier=found.maybe("modifier", modifiers), **index)


def _sparse_index(value: Any, path: str) -> dict[str, Any]:
    with fields(value, path) as found:
        return {
            "full_scan_threshold": found.maybe("full_scan_threshold", integer(0)),
            "on_disk": found.maybe("on_disk", boolean),
            "memory": found.maybe("memory", choice(MEMORY)),
            "datatype": found.maybe("datatype", choice(DATATYPES)),
        }


def read_hnsw(value: Any, path: str) -> dict[str, Any]:
    """Return the index parameters that an `hnsw_config` names."""
    with fields(value, path) as found:
        given = {
            "m": found.maybe("m", integer(0)),
            "ef_construct": found.maybe("ef_construct", integer(4)),
            "full_scan_threshold": found.maybe("full_scan_threshold", integer(10)),
            "max_indexing_threads": found.maybe("max_indexing_threads", integer(0)),
            "on_disk": found.maybe("on_disk", boolean),
            "memory": found.maybe("memory", choice(MEMORY)),
            "payload_m": found.maybe("payload_m", integer(0)),
            "inline_storage": found.maybe("inline_storage", boolean),
        }
    return {name: item for name, item in given.items() if item is not None}


def _hnsw_index(given: dict[str, Any]) -> engine.HnswIndexConfig:
    return engine.HnswIndexConfig(**(HNSW_DEFAULTS | given))


def _optimizers(value: Any, path: str) -> engine.EdgeOptimizersConfig:
    with fields(value, path) as found:
        for name in ("memmap_threshold", "flush_interval_sec"):
            found.maybe(name, integer(0))  # when to write to disk: no result depends on it
        found.maybe("max_optimization_threads", _threads)
        found.unsupported("prevent_unoptimized")
        return engine.EdgeOptimizersConfig(
            deleted_threshold=found.maybe("deleted_threshold", _share),
            vacuum_min_vector_number=found.maybe("vacuum_min_vector_number", integer(100)),
            default_segment_number=found.maybe("default_segment_number", integer(0)),
            max_segment_size=found.maybe("max_segment_size", integer(1)),
            indexing_threshold=found.maybe("indexing_threshold", integer(0)),
        )


def _threads(value: Any, path: str) -> None:
    if value != "auto":
        integer(0)(value, path)


def _share(value: Any, path: str) -> float:
    share = number(value, path)
    if not 0 <= share <= 1:
        raise InvalidValue(path, f"value {share:g} invalid, must be from 0 to 1")
    return share
