"""Which parts of a point go back: payload keys and vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import qdrant_edge as engine

from ragbed.qdrant.errors import FormatError, WrongInput
from ragbed.qdrant.translate.fields import engine_value, fields, json_type, list_of, text

if TYPE_CHECKING:
    from qdrant_edge import WithPayloadType, WithVectorType

    from ragbed.qdrant.translate.fields import Fields

names = list_of(text)


def read_with_payload(value: Any, path: str) -> WithPayloadType:
    """Return a payload selector: a boolean, an array of keys, or an object with `include` or `exclude`."""
    if isinstance(value, bool):
        return value
    with engine_value(path, WrongInput):
        if isinstance(value, list):
            return engine.PayloadSelector.Include(names(value, path))
        with fields(value, path) as members:
            if "include" in members:
                return engine.PayloadSelector.Include(members.required("include", names))
            return engine.PayloadSelector.Exclude(members.required("exclude", names))


def read_with_vector(value: Any, path: str) -> WithVectorType:
    """Return a vector selector: a boolean, or an array of vector names."""
    if isinstance(value, bool):
        return value
    if isinstance(value, list):
        return names(value, path)
    raise FormatError(f"invalid type: {json_type(value)}, expected a boolean or an array at `{path}`")


def take_with_vector(members: Fields) -> WithVectorType:
    """Return a request's vector selector, under either of its two names; False when it has none."""
    name = "with_vectors" if "with_vectors" in members else "with_vector"
    return members.optional(name, read_with_vector, default=False)
