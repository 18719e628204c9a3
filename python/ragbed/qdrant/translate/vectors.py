"""Vectors: dense, multi and sparse, checked against the collection before the engine sees them.

The check is not a courtesy. The engine writes an operation to its log before it applies it, and a multi vector with
rows of different lengths breaks it off in the middle, at every later replay of the log too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import qdrant_edge as engine

from ragbed.qdrant.errors import FormatError, InvalidValue, WrongInput
from ragbed.qdrant.translate.fields import fields, json_type, list_of, number, sequence
from ragbed.qdrant.translate.inference import as_document, is_inference
from ragbed.qdrant.translate.schema import DEFAULT, kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qdrant_edge import NamedVector

    from ragbed.qdrant.translate.schema import VectorKind

MAX_INDEX = 2**32 - 1


def read_point_vectors(value: Any, path: str, schema: Mapping[str, VectorKind]) -> dict[str, NamedVector]:
    """Return the vectors of one point by name.

    Args:
        value: An array (the unnamed vector) or an object of named vectors.
        path: Where it stands in the body, for messages.
        schema: The collection's vectors.

    Raises:
        FormatError: The JSON is not a vector.
        WrongInput: The collection has no vector of that name, kind or size.
        Unsupported: The value asks the server to compute the vector.
    """
    if isinstance(value, list):
        return {DEFAULT: read_stored(value, path, kind_of(DEFAULT, schema))}
    if not isinstance(value, dict):
        raise FormatError(f"invalid type: {json_type(value)}, expected a vector at `{path}`")
    if is_inference(value):
        return {DEFAULT: as_document(value, path, kind_of(DEFAULT, schema))}
    return {name: read_stored(item, f"{path}.{name}", kind_of(name, schema)) for name, item in value.items()}


def read_stored(value: Any, path: str, kind: VectorKind) -> NamedVector:
    """Return one vector to store, given or made of a text; raise as `read_point_vectors` does."""
    if value == []:
        raise InvalidValue(path, "dense vector must not be empty")
    return as_document(value, path, kind) if is_inference(value) else read_vector(value, path, kind)


def read_vector(value: Any, path: str, kind: VectorKind) -> NamedVector:
    """Return one vector of the given kind; raise as `read_point_vectors` does."""
    if isinstance(value, dict):
        if not kind.sparse:
            raise WrongInput("Conversion between sparse and regular vectors failed")
        return read_sparse(value, path)
    if kind.sparse:
        raise WrongInput("Conversion between sparse and regular vectors failed")
    rows = sequence(value, path)
    if kind.multi:
        nested = bool(rows) and isinstance(rows[0], list)
        return _rows(rows, path, kind.size) if nested else [_row(rows, path, kind.size)]
    return _row(rows, path, kind.size)


def _rows(rows: list[Any], path: str, size: int) -> list[list[float]]:
    sizes = {len(row) for row in rows if isinstance(row, list)}
    if 0 in sizes:
        raise InvalidValue(path, "all vectors must be non-empty")
    if len(sizes) > 1:
        raise InvalidValue(path, "all vectors must have the same dimension")
    return [
        _row(sequence(row, f"{path}[{index}]"), f"{path}[{index}]", size) for index, row in enumerate(rows)
    ]


def _row(row: list[Any], path: str, size: int) -> list[float]:
    kinds = set(map(type, row))  # at C speed: uploads are mostly this
    if list in kinds:
        raise WrongInput("Conversion between multi and regular vectors failed")
    if not kinds <= {int, float}:
        raise FormatError(f"expected an array of numbers at `{path}`")
    if len(row) != size:
        raise WrongInput(f"Vector dimension error: expected dim: {size}, got {len(row)}")
    return row


def read_sparse(value: Any, path: str) -> engine.SparseVector:
    """Return a sparse vector; indices must be unique and as many as the values."""
    with fields(value, path) as members:
        indices = members.required("indices", list_of(_index))
        values = members.required("values", list_of(number))
    if len(indices) != len(values):
        raise InvalidValue(f"{path}.values", "must be the same length as indices")
    if len(set(indices)) != len(indices):
        raise InvalidValue(f"{path}.indices", "must be unique")
    return engine.SparseVector(indices=indices, values=values)


def _index(value: Any, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_INDEX:
        raise FormatError(f"invalid value: {value}, expected u32 at `{path}`")
    return value
