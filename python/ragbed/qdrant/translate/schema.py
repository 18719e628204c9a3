"""A collection's schema: the kinds of its vectors by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragbed.qdrant.errors import WrongInput

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT = ""
"""Name of the vector that has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorKind:
    """What one named vector of a collection holds.

    Attributes:
        size: Numbers in a row; 0 for a sparse vector, which has no fixed size.
        multi: Several rows per point.
        sparse: Indices and values instead of a row.
        ascending: A smaller score is better, as with distances.
    """

    size: int = 0
    multi: bool = False
    sparse: bool = False
    ascending: bool = False


def kind_of(name: str, schema: Mapping[str, VectorKind]) -> VectorKind:
    """Return what a vector's name stands for in a collection; raise WrongInput when it has no such vector."""
    if name not in schema:
        raise WrongInput(f"Not existing vector name error: {name}")
    return schema[name]
