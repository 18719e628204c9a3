"""Vectors of a collection: sizes, distances, and how each is stored and indexed."""

from __future__ import annotations

from typing import Any

import qdrant_edge as engine

from ragbed.qdrant.errors import FormatError, Unsupported, WrongInput
from ragbed.qdrant.translate.fields import boolean, choice, fields, integer, mapping
from ragbed.qdrant.translate.indexing import hnsw_index, read_hnsw
from ragbed.qdrant.translate.quantization import read_quantization
from ragbed.qdrant.translate.schema import DEFAULT, VectorKind
from ragbed.qdrant.translate.storage import MEMORY, read_storage

MAX_SIZE = 65_536
DISTANCES = {name: getattr(engine.Distance, name) for name in ("Cosine", "Euclid", "Dot", "Manhattan")}
ASCENDING = frozenset({"Euclid", "Manhattan"})
DATATYPES = {
    "float32": engine.VectorStorageDatatype.Float32,
    "float16": engine.VectorStorageDatatype.Float16,
    "uint8": engine.VectorStorageDatatype.Uint8,
}
UNSUPPORTED_DATATYPES = ("turbo4",)
MODIFIERS = {"none": None, "idf": engine.Modifier.Idf}

DenseParams = dict[str, tuple[engine.EdgeVectorParams, VectorKind]]


def is_unnamed(vectors: dict[str, Any]) -> bool:
    """Say whether a `vectors` object describes one vector without a name, not several by name."""
    return "size" in vectors and not isinstance(vectors["size"], dict)


def read_vectors(value: Any, path: str, hnsw: dict[str, Any]) -> DenseParams:
    """Return the dense vectors of a `vectors` object by name.

    Args:
        value: Parameters of the unnamed vector, or an object of parameters by name.
        path: Where it stands in the body, for messages.
        hnsw: The collection's index parameters, which each vector's own go over.
    """
    names = mapping(value, path)
    if is_unnamed(names):
        return {DEFAULT: _vector(value, path, hnsw)}
    return {name: _vector(item, f"{path}.{name}", hnsw) for name, item in names.items()}


def _size(value: Any, path: str) -> int:
    if value == 0:
        raise FormatError(f"invalid value: integer `0`, expected a nonzero u64 at `{path}`")
    return integer(1, MAX_SIZE)(value, path)


def _vector(
    value: Any, path: str, collection_hnsw: dict[str, Any]
) -> tuple[engine.EdgeVectorParams, VectorKind]:
    with fields(value, path) as members:
        size = members.required("size", _size)
        distance = members.required("distance", choice({name: name for name in DISTANCES}))
        hnsw, multi = members.maybe("hnsw_config", read_hnsw), members.maybe("multivector_config", read_multi)
        for name, read in (("on_disk", boolean), ("memory", read_storage)):
            members.maybe(name, read)  # shown as given; see `memory` below
        params = engine.EdgeVectorParams(
            size=size,
            distance=DISTANCES[distance],
            # no result depends on it, no query is slower; anything else fills 32 MiB of memory per open collection
            memory=engine.Memory.Cold,
            datatype=members.maybe("datatype", read_datatype),
            multivector_config=multi,
            hnsw_config=hnsw_index(collection_hnsw | hnsw) if hnsw else None,
            quantization_config=members.maybe("quantization_config", read_quantization),
        )
    return params, VectorKind(size=size, multi=multi is not None, ascending=distance in ASCENDING)


def read_datatype(value: Any, path: str) -> engine.VectorStorageDatatype:
    """Return what each number of a vector is kept as; raise Unsupported for what a real server has besides."""
    if value in UNSUPPORTED_DATATYPES:
        raise Unsupported(f"`{path}`: {value}")
    return choice(DATATYPES)(value, path)


def read_multi(value: Any, path: str) -> engine.MultiVectorConfig:
    """Return how multi vectors are compared."""
    with fields(value, path) as members:
        comparators = choice({"max_sim": engine.MultiVectorComparator.MaxSim})
        return engine.MultiVectorConfig(members.required("comparator", comparators))


def read_sparse_vectors(value: Any, path: str) -> dict[str, engine.EdgeSparseVectorParams]:
    """Return the sparse vectors of a `sparse_vectors` object by name."""
    names = mapping(value, path)
    if DEFAULT in names:
        raise WrongInput("Sparse vector name cannot be empty")
    return {name: _sparse(item or {}, f"{path}.{name}") for name, item in names.items()}


def _sparse(value: Any, path: str) -> engine.EdgeSparseVectorParams:
    with fields(value, path) as members:
        index = members.maybe("index", _sparse_index) or {}
        return engine.EdgeSparseVectorParams(modifier=members.maybe("modifier", choice(MODIFIERS)), **index)


def _sparse_index(value: Any, path: str) -> dict[str, Any]:
    with fields(value, path) as members:
        return {
            "full_scan_threshold": members.maybe("full_scan_threshold", integer(0)),
            "on_disk": members.maybe("on_disk", boolean),
            "memory": members.maybe("memory", choice(MEMORY)),
            "datatype": members.maybe("datatype", read_datatype),
        }
