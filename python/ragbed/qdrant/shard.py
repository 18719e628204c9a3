"""One collection: an engine shard, open, with one writer at a time and any number of readers."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any

import qdrant_edge as engine

from ragbed.qdrant.errors import NotFound, WrongInput, collection_missing, from_engine, is_panic
from ragbed.qdrant.translate.queries import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from qdrant_edge import EdgeShard, NamedVector, Record, ScoredPoint, UpdateOperation

    from ragbed.qdrant.translate.config import CollectionConfig
    from ragbed.qdrant.translate.ids import PointId


class Shard:
    """One open collection.

    The engine takes reads beside a write and beside each other; writes go one by one. Every acknowledged write is in
    the engine's log, which survives the death of the process.

    Args:
        name: The collection's name, for messages.
        config: What it was created with.
        opened: The engine's shard; closed by `close`.
    """

    def __init__(self, name: str, config: CollectionConfig, opened: EdgeShard) -> None:
        self.name = name
        self.config = config
        self.source = Source(schema=config.schema, lookup=self.vector_of)
        self._engine = opened
        self._operations = count()
        self._writer = threading.Lock()
        self._idle = threading.Condition()
        self._users = 0
        self._open = True

    @classmethod
    def create(cls, folder: Path, name: str, config: CollectionConfig) -> Shard:
        """Create a collection's files in an empty folder, and open it."""
        with _engine_errors():
            return cls(name, config, engine.EdgeShard.create(str(folder), config.engine))

    @classmethod
    def load(cls, folder: Path, name: str, config: CollectionConfig) -> Shard:
        """Open a collection; raise ApiError when its files are damaged."""
        with _engine_errors():
            return cls(name, config, engine.EdgeShard.load(str(folder)))

    def update(self, operation: UpdateOperation) -> int:
        """Apply one write and return its number; raise ApiError when the engine refuses it."""
        with self._using() as shard, self._writer:
            shard.update(operation)
            return next(self._operations)

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

    def retrieve(self, ids: Sequence[Any], *, with_payload: Any, with_vector: Any) -> list[Record]:
        """Return the points that exist, in the order of the ids."""
        with self._using() as shard:
            return shard.retrieve(list(ids), with_payload, with_vector)

    def info(self) -> engine.ShardInfo:
        """Return the engine's counts and payload indexes."""
        with self._using() as shard:
            return shard.info()

    def vector_of(self, point_id: PointId, name: str) -> NamedVector:
        """Return a point's vector; raise NotFound without the point, WrongInput without the vector."""
        records = self.retrieve([point_id], with_payload=False, with_vector=[name])
        if not records:
            raise NotFound(f"No point with id {point_id} found")
        vectors: Any = records[0].vector
        found: NamedVector | None = vectors.get(name) if isinstance(vectors, dict) else vectors
        if found is None:
            raise WrongInput(f"Vector with name `{name}` is missing on point {point_id}")
        return found

    def close(self) -> None:
        """Refuse new calls, let those under way finish, write everything to disk; twice is harmless."""
        with self._idle:
            was_open, self._open = self._open, False
            self._idle.wait_for(lambda: self._users == 0)
        if was_open:
            with _engine_errors():
                self._engine.close()

    @contextmanager
    def _using(self) -> Iterator[EdgeShard]:
        with self._idle:
            if not self._open:
                raise collection_missing(self.name)
            self._users += 1
        try:
            with _engine_errors():
                yield self._engine
        finally:
            with self._idle:
                self._users -= 1
                self._idle.notify_all()


@contextmanager
def _engine_errors() -> Iterator[None]:
    """Turn what the engine raises into an ApiError; its panics are not `Exception`s."""
    try:
        yield
    except BaseException as error:
        if type(error) is Exception or is_panic(error):
            raise from_engine(error) from error
        raise
