"""Vectors that a collection gains or loses while it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import qdrant_edge as engine

from ragbed.qdrant.errors import FormatError, InvalidValue, WrongInput
from ragbed.qdrant.names import forbidden_in
from ragbed.qdrant.translate.fields import choice, fields, integer
from ragbed.qdrant.translate.schema import DEFAULT
from ragbed.qdrant.translate.vector_params import (
    DISTANCES,
    MAX_SIZE,
    MODIFIERS,
    is_unnamed,
    read_datatype,
    read_multi,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qdrant_edge import UpdateOperation

    from ragbed.qdrant.translate.schema import VectorKind

MAX_NAME_BYTES = 200


def read_vector_name(name: str, body: Any) -> UpdateOperation:
    """Return the operation that gives a collection another vector.

    Args:
        name: The vector's name.
        body: `{"dense": {"size": …, "distance": …}}` or `{"sparse": {…}}`.
    """
    check_vector_name(name)
    with fields(body) as members:
        if "dense" in members:
            return members.required("dense", lambda value, path: _dense(name, value, path))
        if "sparse" in members:
            return members.required("sparse", lambda value, path: _sparse(name, value, path))
        raise FormatError("data did not match any variant of untagged enum VectorNameConfig")


def _dense(name: str, value: Any, path: str) -> UpdateOperation:
    with fields(value, path) as members:
        return engine.UpdateOperation.create_dense_vector(
            name,
            members.required("size", integer(1, MAX_SIZE)),
            members.required("distance", choice(DISTANCES)),
            members.maybe("multivector_config", read_multi),
            members.maybe("datatype", read_datatype),
        )


def _sparse(name: str, value: Any, path: str) -> UpdateOperation:
    with fields(value, path) as members:
        return engine.UpdateOperation.create_sparse_vector(
            name, members.maybe("modifier", choice(MODIFIERS)), members.maybe("datatype", read_datatype)
        )


def drop_vector(name: str) -> UpdateOperation:
    """Return the operation that takes a vector away from a collection."""
    return engine.UpdateOperation.delete_vector_name(name)


def check_vector_name(name: str) -> None:
    """Refuse a name that Qdrant would refuse; raise InvalidValue."""
    if wrong := _flaw(name):
        raise InvalidValue("vector_name", wrong, where="path parameters")


def check_vector_names(schema: Mapping[str, VectorKind]) -> None:
    """Refuse the vectors of a new collection if Qdrant would refuse the name of one; raise WrongInput."""
    for name, kind in schema.items():
        if wrong := _flaw(name):
            raise WrongInput(f"Invalid {'sparse' if kind.sparse else 'dense'} vector name `{name}`: {wrong}")


def _flaw(name: str) -> str | None:
    if len(name.encode()) > MAX_NAME_BYTES:
        return f"vector name must be at most {MAX_NAME_BYTES} bytes long"
    wrong = forbidden_in(name)
    return wrong and f"vector name cannot contain {wrong} char"


def with_vector(config: dict[str, Any], name: str, body: dict[str, Any]) -> dict[str, Any]:
    """Return a collection's configuration with one more vector."""
    if dense := body.get("dense"):
        return config | {"vectors": _named(config) | {name: dense}}
    sparse = {key: item for key, item in (body.get("sparse") or {}).items() if item is not None}
    datatype = sparse.pop("datatype", None)
    if datatype is not None:
        sparse["index"] = {"datatype": datatype}
    return config | {"sparse_vectors": (config.get("sparse_vectors") or {}) | {name: sparse}}


def without_vector(config: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a collection's configuration without one of its vectors."""
    sparse = {key: item for key, item in (config.get("sparse_vectors") or {}).items() if key != name}
    dense = {key: item for key, item in _named(config).items() if key != name}
    return config | {"vectors": dense, "sparse_vectors": sparse or None}


def _named(config: dict[str, Any]) -> dict[str, Any]:
    vectors: dict[str, Any] = config.get("vectors") or {}
    return {DEFAULT: vectors} if is_unnamed(vectors) else vectors
