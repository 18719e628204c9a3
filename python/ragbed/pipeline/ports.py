"""What the pipeline needs from the outside world, as small protocols; vendors' clients are in `adapters`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import date
    from pathlib import Path

    from ragbed.events import EventSink
    from ragbed.pipeline.records import Gap, Vector

SparseVector = dict[int, float]
"""Weights by term id; ids are unsigned 32-bit numbers."""

Filters = dict[str, tuple[str, ...]]
"""Allowed values by indexed payload field; a chunk must satisfy every field."""


class CacheUnavailable(Exception):
    """The cache does not answer; go on without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatReply:
    """What a chat model said.

    Attributes:
        text: The answer.
        model: Model that answered.
        prompt_tokens: As the model counted; None where it did not say.
        answer_tokens: As the model counted; None where it did not say.
    """

    text: str
    model: str
    prompt_tokens: int | None
    answer_tokens: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexPoint:
    """A chunk as it is written to the index.

    Attributes:
        id: UUID; the same for the same chunk.
        dense: Embedding.
        sparse: BM25 term weights.
        payload: What a hit gives back; holds `FILTER_FIELDS`.
    """

    id: str
    dense: Vector
    sparse: SparseVector
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A chunk that one search found; a higher score is better."""

    id: str
    score: float
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexState:
    """Which collection the ledger describes, and what it was built with.

    Attributes:
        collection: Physical name.
        fingerprint: Of the model and every parameter that shapes a point.
        model_digest: Of the embedding model.
        dimensions: Of its vectors.
        version: Raised by every ingest that writes; of the collection.
    """

    collection: str
    fingerprint: str
    model_digest: str
    dimensions: int
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """A document that is in the index.

    Attributes:
        path: Of the document.
        content_hash: Of its bytes; empty while an ingest is writing it.
        chunks: How many points it has.
        terms: Its distinct terms.
        updated: Date from its front matter.
        source: Prefix of the folder that it came from.
    """

    path: str
    content_hash: str
    chunks: int
    terms: tuple[str, ...] = ()
    updated: date | None = None
    source: str = ""

    @property
    def pending(self) -> bool:
        """Whether an ingest began to write it and did not end."""
        return not self.content_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFolder:
    """A folder whose documents are in the index.

    Attributes:
        path: The folder, resolved.
        prefix: What the paths of its documents begin with; empty for the first folder of a namespace.
    """

    path: Path
    prefix: str

    def name(self, relative: str) -> str:
        """Return the path that a document has in the index."""
        return f"{self.prefix}/{relative}" if self.prefix else relative


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """How many documents there are, and how many of them hold each term asked for."""

    documents: int
    frequencies: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexView:
    """What one look at the ledger tells a question.

    Attributes:
        state: What the index was built with; None before the first ingest.
        vocabulary: Of the terms asked for.
    """

    state: IndexState | None
    vocabulary: Vocabulary


class Embedder(Protocol):
    """Turns texts into vectors."""

    def digest(self) -> str:
        """Return what identifies the model's bytes; raise EmbeddingFailed or ServiceMissing."""

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Return one vector per text, in order, all of one dimension; raise EmbeddingFailed or InputTooLong."""


class ChatModel(Protocol):
    """Answers a prompt."""

    def chat(self, system: str, user: str, *, on_text: Callable[[str], None] | None = None) -> ChatReply:
        """Return the model's answer; raise AnswerFailed or ServiceMissing.

        `on_text` is called with each piece of its text as it comes, and never twice with the same one: an answer that
        has begun is not asked for again.
        """


class EmbeddingCache(Protocol):
    """Keeps embeddings for a while; every method may raise CacheUnavailable."""

    def get_many(self, keys: Sequence[str]) -> list[Vector | None]:
        """Return a vector or None per key, in order."""

    def put_many(self, vectors: Mapping[str, Vector]) -> None:
        """Keep vectors by key."""

    def clear(self) -> None:
        """Forget everything of this namespace."""


class IndexReader(Protocol):
    """Collections to search; every method may raise IndexFailed or ServiceMissing."""

    def count(self, collection: str) -> int | None:
        """Return the exact number of points, or None when there is no such collection."""

    def search(
        self, collection: str, dense: Vector, sparse: SparseVector, *, limit: int, filters: Filters
    ) -> tuple[list[Hit], list[Hit]]:
        """Return the best hits of a collection by cosine and the best by BM25, each best first."""


class VectorIndex(IndexReader, Protocol):
    """Collections behind one alias; every method may raise IndexFailed or ServiceMissing."""

    def live(self) -> str | None:
        """Return the collection that the alias names, or None; raise GuardRefused for another project's."""

    def create(self, dimensions: int) -> str:
        """Create an empty collection that the alias does not name yet, and return its name."""

    def publish(self, collection: str) -> None:
        """Point the alias at a collection, in one step."""

    def forget_others(self, collection: str) -> None:
        """Delete the project's other collections of this namespace."""

    def upsert(self, collection: str, points: Sequence[IndexPoint]) -> None:
        """Write points; once it returns they survive a kill."""

    def delete(self, collection: str, documents: Sequence[str], *, keep: Sequence[str] = ()) -> None:
        """Delete the points of documents, except the ids in `keep`."""

    def drop(self) -> None:
        """Delete the alias and every collection of this namespace."""


class LedgerReader(Protocol):
    """What a question needs to know of the index; every method may raise ServiceMissing or PipelineError."""

    def view(self, terms: Sequence[str] = ()) -> IndexView:
        """Return what a question needs to know, as of now; terms are the question's."""

    def older_schema(self) -> str:
        """Return the schema that an older ragbed made for this namespace; empty where there is none."""


class Ledger(LedgerReader, Protocol):
    """What is in the index; every method may raise ServiceMissing or PipelineError."""

    def migrate(self) -> str:
        """Bring the schema to the newest revision and return it."""

    def exclusive(self, events: EventSink) -> AbstractContextManager[None]:
        """Hold the namespace against other ingests; where another one holds it, emit that this one is `waiting`."""

    def state(self) -> IndexState | None:
        """Return what the index was built with, or None before the first ingest."""

    def rows(self) -> dict[str, LedgerRow]:
        """Return hash and number of chunks of every document, by path; terms are left out."""

    def restart(self, state: IndexState) -> None:
        """Describe a new, empty collection: every document becomes pending."""

    def folders(self) -> list[SourceFolder]:
        """Return the folders that the documents came from, the first one first."""

    def remember(self, folders: Sequence[SourceFolder]) -> None:
        """Note the folders that the documents come from: these and no others."""

    def begin(self, rows: Sequence[LedgerRow]) -> None:
        """Mark documents as being written, so that a kill leaves a trace."""

    def complete(self, rows: Sequence[LedgerRow]) -> None:
        """Note documents whose points are all in the index."""

    def replace(self, state: IndexState, rows: Sequence[LedgerRow]) -> None:
        """Describe a collection that was built beside the live one: these documents and no others."""

    def remove(self, paths: Sequence[str]) -> None:
        """Forget documents whose points are gone."""

    def drop(self) -> None:
        """Delete the schema with everything in it."""


class GapStore(Protocol):
    """Keeps gaps; every method may raise ServiceMissing or PipelineError."""

    def save(self, gap: Gap) -> Gap:
        """Keep a gap; one that is known is counted again. Return it as kept."""

    def all(self) -> list[Gap]:
        """Return every gap, the newest first."""

    def remove_files(self) -> None:
        """Remove what is kept of the gaps outside the stores."""
