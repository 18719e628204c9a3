"""Several writes in one request, in order."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ragbed.qdrant.errors import FormatError, WrongInput
from ragbed.qdrant.translate import points
from ragbed.qdrant.translate.fields import fields, list_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from qdrant_edge import UpdateOperation

    from ragbed.qdrant.translate.fields import Fields
    from ragbed.qdrant.translate.schema import VectorKind


def read_operations(body: Any, schema: Mapping[str, VectorKind]) -> list[UpdateOperation | WrongInput]:
    """Return the operations of a `/points/batch` body, and the error in the place of one that does not fit.

    Those before it are applied, as in a real server.

    Raises:
        FormatError: Something is unknown or of the wrong type; then none is applied.
        InvalidValue: The same.
    """
    kinds: dict[str, Any] = {
        "upsert": lambda value, path: points.read_upsert(value, schema, path),
        "delete": points.read_delete,
        "set_payload": points.read_set_payload,
        "overwrite_payload": partial(points.read_set_payload, overwrite=True),
        "delete_payload": points.read_delete_payload,
        "clear_payload": points.read_clear_payload,
        "update_vectors": lambda value, path: points.read_update_vectors(value, schema, path),
        "delete_vectors": lambda value, path: points.read_delete_vectors(value, schema, path),
    }

    def operation(value: Any, path: str) -> UpdateOperation | WrongInput:
        with fields(value, path) as members:
            for name, read in kinds.items():
                if name in members:
                    return _fitting(members, name, read)
            raise FormatError(f"data did not match any variant of untagged enum UpdateOperation at `{path}`")

    with fields(body) as members:
        return members.required("operations", list_of(operation))


def _fitting(
    members: Fields, name: str, read: Callable[[Any, str], UpdateOperation]
) -> UpdateOperation | WrongInput:
    try:
        return members.required(name, read)
    except WrongInput as error:
        return error
