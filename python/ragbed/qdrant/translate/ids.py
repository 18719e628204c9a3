"""Point ids: unsigned integers or UUIDs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from ragbed.qdrant.errors import FormatError, WrongInput
from ragbed.qdrant.translate.fields import list_of

PointId = int | UUID


def read_id(value: Any, path: str) -> PointId:
    """Return a point id.

    Raises:
        FormatError: The value is neither an integer from 0 to 2**64 - 1 nor a UUID.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**64:
        return value
    if isinstance(value, str):
        try:
            return UUID(value)
        except ValueError:
            pass
    raise FormatError(
        f"value {value} is not a valid point ID at `{path}`, "
        "valid values are either an unsigned integer or a UUID"
    )


def read_path_id(value: str) -> PointId:
    """Return the point id in a URL; raise WrongInput when it is none."""
    digits = value.isascii() and value.isdigit()
    try:
        return read_id(int(value) if digits else value, "id")
    except FormatError:
        raise WrongInput(f'Can not recognize "{value}" as point id') from None


read_ids = list_of(read_id)
"""Read an array of point ids."""
