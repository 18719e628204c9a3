"""What a query may refer to: its collection's vectors, points by id, and other collections."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from ragbed.qdrant.errors import NotFound
from ragbed.qdrant.translate.fields import fields, text
from ragbed.qdrant.translate.ids import PointId, read_id
from ragbed.qdrant.translate.inference import as_query, is_inference
from ragbed.qdrant.translate.schema import DEFAULT, kind_of
from ragbed.qdrant.translate.vectors import read_vector

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qdrant_edge import NamedVector

    from ragbed.qdrant.translate.schema import VectorKind


class Lookup(Protocol):
    """Finds the stored vector of a point, for queries by id."""

    def __call__(self, point_id: PointId, name: str) -> NamedVector:
        """Return the vector; raise NotFound where there is no such point, WrongInput where it lacks the vector."""


class Elsewhere(Protocol):
    """Finds another collection, for `lookup_from`."""

    def __call__(self, collection: str) -> PointSource:
        """Return it as a source; raise NotFound where there is none."""


def nowhere(collection: str) -> PointSource:
    """Return no source: for queries that know their own collection only."""
    raise NotFound(f"Collection {collection} not found")


@dataclass(frozen=True, slots=True, kw_only=True)
class PointSource:
    """What a query may refer to.

    Attributes:
        schema: The collection's vectors.
        lookup: Finds the stored vector of a point.
        name: The collection's name; `lookup_from` may name it too.
        elsewhere: Finds other collections.
    """

    schema: Mapping[str, VectorKind]
    lookup: Lookup
    name: str = ""
    elsewhere: Elsewhere = nowhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Reads the vectors that one stage of a query is about.

    Attributes:
        source: The collection searched.
        using: The vector compared with.
        lookup: Where points are looked up, and the name of their vector.
        referenced: Gains the ids of this collection's points that were looked up; results leave them out.
    """

    source: PointSource
    using: str
    lookup: tuple[PointSource, str]
    referenced: set[PointId] = field(default_factory=set)

    def read(self, value: Any, path: str) -> NamedVector:
        """Return a vector: given, stored with a point whose id is given, or made of a text.

        Raises:
            FormatError: The JSON is neither a vector nor an id.
            WrongInput: The vector does not fit the collection.
            NotFound: There is no such point.
        """
        kind = kind_of(self.using, self.source.schema)
        if is_inference(value):
            return as_query(value, path, kind)
        if isinstance(value, list | dict):
            return read_vector(value, path, kind)
        point_id, (source, name) = read_id(value, path), self.lookup
        if source.name == self.source.name:
            self.referenced.add(point_id)
        return source.lookup(point_id, name)


def read_lookup(value: Any, path: str, source: PointSource, using: str) -> tuple[PointSource, str]:
    """Return where `lookup_from` sends a query for its points: a collection, and a vector's name."""
    with fields(value, path) as members:
        members.unsupported("shard_key")
        collection = members.required("collection", text)
        name = members.optional("vector", text, using or DEFAULT)
    other = source if collection == source.name else source.elsewhere(collection)
    kind_of(name, other.schema)
    return other, name
