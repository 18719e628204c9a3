"""When and how vectors are indexed: `hnsw_config`, `optimizers_config`, `wal_config`."""

from __future__ import annotations

from typing import Any

import qdrant_edge as engine

from ragbed.qdrant.errors import InvalidValue, Unsupported
from ragbed.qdrant.translate.fields import boolean, choice, fields, integer, number
from ragbed.qdrant.translate.storage import MEMORY

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


def read_hnsw(value: Any, path: str) -> dict[str, Any]:
    """Return the index parameters that an `hnsw_config` names."""
    with fields(value, path) as members:
        given = {
            "m": members.maybe("m", integer(0)),
            "ef_construct": members.maybe("ef_construct", integer(4)),
            "full_scan_threshold": members.maybe("full_scan_threshold", integer(10)),
            "max_indexing_threads": members.maybe("max_indexing_threads", integer(0)),
            "on_disk": members.maybe("on_disk", boolean),
            "memory": members.maybe("memory", choice(MEMORY)),
            "payload_m": members.maybe("payload_m", integer(0)),
            "inline_storage": members.maybe("inline_storage", boolean),
        }
    return {name: item for name, item in given.items() if item is not None}


def hnsw_index(given: dict[str, Any]) -> engine.HnswIndexConfig:
    """Return the engine's form of index parameters, over Qdrant's defaults."""
    return engine.HnswIndexConfig(**(HNSW_DEFAULTS | given))


def read_optimizers(value: Any, path: str) -> engine.EdgeOptimizersConfig:
    """Return the engine's form of an `optimizers_config`."""
    with fields(value, path) as members:
        for name in ("memmap_threshold", "flush_interval_sec"):
            members.maybe(name, integer(0))  # when to write to disk: no result depends on it
        members.maybe("max_optimization_threads", _threads)
        if members.maybe("prevent_unoptimized", boolean):
            raise Unsupported(f"`{path}.prevent_unoptimized`")
        return engine.EdgeOptimizersConfig(
            deleted_threshold=members.maybe("deleted_threshold", _share),
            vacuum_min_vector_number=members.maybe("vacuum_min_vector_number", integer(100)),
            default_segment_number=members.maybe("default_segment_number", integer(0)),
            max_segment_size=members.maybe("max_segment_size", integer(1)),
            indexing_threshold=members.maybe("indexing_threshold", integer(0)),
        )


def read_wal(value: Any, path: str) -> None:
    """Check a `wal_config`; the engine's log takes no settings, and no result depends on them."""
    with fields(value, path) as members:
        members.maybe("wal_capacity_mb", integer(1))
        members.maybe("wal_segments_ahead", integer(0))
        members.maybe("wal_retain_closed", integer(1))


def _threads(value: Any, path: str) -> None:
    if value != "auto":
        integer(0)(value, path)


def _share(value: Any, path: str) -> float:
    share = number(value, path)
    if not 0 <= share <= 1:
        raise InvalidValue(path, f"value {share:g} invalid, must be from 0 to 1")
    return share
