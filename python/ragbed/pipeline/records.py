"""What flows through the pipeline: documents, chunks, passages, reports, answers and gaps."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

Vector = list[float]
GapKind = Literal["missing_topic", "missing_platform", "thin_coverage", "unanswered", "stale"]

FILTER_FIELDS = ("document", "lesson_type", "platform", "tags")
"""Payload fields that are indexed, and so may be filtered by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A file of the corpus that could not be read.

    Attributes:
        path: Relative to the corpus folder, posix form.
        reason: Why, in words.
    """

    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document with its front matter taken off.

    Attributes:
        path: Relative to the corpus folder, posix form.
        title: From the front matter, else the first heading, else the file's name.
        body: Text after the front matter; chunks without overlap give exactly this back.
        lesson_type: From the front matter; empty when not given.
        platform: From the front matter; empty when not given.
        tags: From the front matter.
        updated: From the front matter; None when not given or not a date.
        markdown: Whether headings and fences mean something; False for plain text.
    """

    path: str
    title: str
    body: str
    lesson_type: str = ""
    platform: str = ""
    tags: tuple[str, ...] = ()
    updated: date | None = None
    markdown: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A piece of a document.

    Attributes:
        text: As it stands in the document, blank lines included.
        heading: Headings above it, outermost first, without the document's title.
        index: Position in the document, from 0.
        overlap: Text repeated from the chunk before; empty by default.
    """

    text: str
    heading: tuple[str, ...]
    index: int
    overlap: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredChunk:
    """A chunk found for a question.

    Attributes:
        chunk_id: Id of its point in the index.
        document: Path of its document.
        title: Title of its document.
        heading: Headings above it, joined by ` > `; empty above the first.
        text: Its text without surrounding blank lines.
        score: Fused score in 0 to 1; higher is better.
        dense_score: Cosine with the question; None when the dense search did not find it.
        sparse_score: BM25 score; None when the sparse search did not find it.
        metadata: lesson_type, platform, tags, updated.
    """

    chunk_id: str
    document: str
    title: str
    heading: str
    text: str
    score: float
    dense_score: float | None = None
    sparse_score: float | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """What an ingest found and did.

    Attributes:
        documents: Documents that are in the index now.
        unreadable: Files that could not be read, and why.
        empty: Paths of files without any text.
        ignored: Files with other suffixes.
        ignored_by_suffix: The same by suffix, in lower case.
        chunks: Chunks that are in the index now.
        unchanged: Documents that were neither parsed nor embedded.
        changed: Documents that were new or different.
        removed: Documents that were taken out of the index.
        embedded: Chunks that the model embedded.
        cached: Chunks whose embedding came from the cache.
        split: Chunks that exceeded the model's context and were embedded in parts.
        batches: Batches written to the index.
        seconds: Duration.
        dimensions: Of the vectors in the index; 0 when there are none.
        rebuilt: Why the whole index was built again; empty when it was not.
        warnings: What did not work and was done without.
    """

    documents: int
    unreadable: tuple[Unreadable, ...]
    empty: tuple[str, ...]
    ignored: int
    ignored_by_suffix: Mapping[str, int]
    chunks: int
    unchanged: int
    changed: int
    removed: int
    embedded: int
    cached: int
    split: int
    batches: int
    seconds: float
    dimensions: int
    rebuilt: str = ""
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """A passage that an answer cites.

    Attributes:
        number: As cited, from 1.
        document: Path of the passage's document.
        heading: Headings above the passage.
        chunk_id: Id of the passage.
        support: Share, 0 to 1, of the citing sentences' content words that the passage holds.
    """

    number: int
    document: str
    heading: str
    chunk_id: str
    support: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something asked that the corpus does not cover.

    Attributes:
        id: The same for the same question and kind.
        question: As asked.
        kind: What is missing.
        subject: The words that are not covered.
        reasons: Why we think so, a sentence each.
        queries: Four GitHub searches that may find material.
        evidence: Documents that came nearest.
        created_at: UTC; when it was first seen.
        times_asked: How often it was seen.
    """

    id: str
    question: str
    kind: GapKind
    subject: str
    reasons: tuple[str, ...]
    queries: tuple[str, ...]
    evidence: tuple[str, ...]
    created_at: datetime
    times_asked: int = 1

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values, the time in ISO form."""
        return {**asdict(self), "created_at": self.created_at.isoformat()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer and what it rests on.

    Attributes:
        question: As asked.
        text: What the model said.
        citations: Citations that name a passage the model was given.
        passages: What the model was given, in the order of their numbers.
        answered: The model said something, and did not refuse.
        grounded: The text cites, and every citation names a passage that the model was given.
        refused: The model said that the passages do not answer.
        flagged: Sentences that cite passages which were never given.
        gap: What the corpus lacks for this question; None when it is covered and was answered.
        model: Chat model that answered.
        prompt_tokens: As the model counted; None where it did not say.
        answer_tokens: As the model counted; None where it did not say.
        cached_embeddings: 1 when the question's embedding came from the cache, else 0.
        seconds: Duration.
    """

    question: str
    text: str
    citations: tuple[Citation, ...]
    passages: tuple[ScoredChunk, ...]
    answered: bool
    grounded: bool
    refused: bool
    flagged: tuple[str, ...]
    gap: Gap | None
    model: str
    prompt_tokens: int | None
    answer_tokens: int | None
    cached_embeddings: int
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return {**asdict(self), "gap": self.gap.to_json() if self.gap else None}
