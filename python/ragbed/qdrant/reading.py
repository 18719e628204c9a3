"""What a collection answers: the engine's reads, each on a shard that stays open for as long as it takes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import qdrant_edge as engine

from ragbed.qdrant.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from qdrant_edge import EdgeShard, NamedVector, Record, ScoredPoint

    from ragbed.qdrant.translate.ids import PointId


class Reads(ABC):
    """The reads of a collection; each raises ApiError where the engine refuses it."""

    @abstractmethod
    def _using(self) -> AbstractContextManager[EdgeShard]:
        """Return the engine's shard, open until the `with` ends."""

    def query(self, requests: Sequence[engine.QueryRequest]) -> list[list[ScoredPoint]]:
        """Return the points found for each request, best first."""
        with self._using() as shard:
            if len(requests) == 1:
                return [shard.query(requests[0])]
            return shard.query_batch(engine.QueryBatchRequest(list(requests)))

    def scroll(self, request: engine.ScrollRequest) -> tuple[list[Record], Any]:
        """Return a page of points, and the id that the next page begins with."""
        with self._using() as shard:
            return shard.scroll(request)

    def count(self, request: engine.CountRequest) -> int:
        """Return how many points match."""
        with self._using() as shard:
            return shard.count(request)

    def facet(self, request: engine.FacetRequest) -> engine.FacetResponse:
        """Return how many points hold each value of a key."""
        with self._using() as shard:
            return shard.facet(request)

    def retrieve(self, ids: Sequence[Any], *, with_payload: Any, with_vector: Any) -> list[Record]:
        """Return the points that exist, in the order of the ids."""
        with self._using() as shard:
            return shard.retrieve(list(ids), with_payload, with_vector)

    def info(self) -> engine.ShardInfo:
        """Return the engine's counts and payload indexes."""
        with self._using() as shard:
            return shard.info()

    def vector_of(self, point_id: PointId, name: str) -> NamedVector:
        """Return a point's vector; raise NotFound without the point, or without the vector."""
        records = self.retrieve([point_id], with_payload=False, with_vector=[name])
        if not records:
            raise NotFound(f"No point with id {point_id} found")
        vectors: Any = records[0].vector
        vector: NamedVector | None = vectors.get(name) if isinstance(vectors, dict) else vectors
        if vector is None:
            raise NotFound(f'Vector with name "{name}" for point not found')
        return vector
