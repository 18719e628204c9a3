"""Retrieval: the nearest chunks by meaning and by words, fused."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from ragbed.errors import IndexFailed, UsageError
from ragbed.pipeline.records import FILTER_FIELDS, ScoredChunk
from ragbed.pipeline.sparse import encode_question

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ragbed.pipeline.embedding import CachedEmbedding
    from ragbed.pipeline.ports import Filters, Hit, IndexReader

CANDIDATES = 40
"""Hits that each of the two searches gives to the fusion."""

DENSE_SHARE = 0.4
"""Weight of the dense search in the fusion; the sparse one has the rest."""


def retrieve(
    question: str,
    *,
    embedding: CachedEmbedding,
    index: IndexReader,
    collection: str,
    top_k: int,
    max_per_document: int,
    filters: Filters,
) -> list[ScoredChunk]:
    """Return the best chunks for a question, best first.

    Args:
        question: In words.
        embedding: Embeds the question.
        index: Searched twice, by cosine and by BM25.
        collection: The one that the ledger describes.
        top_k: How many chunks at most.
        max_per_document: How many of them one document may give.
        filters: Allowed values by payload field.

    Raises:
        UsageError: The question is empty.
        PipelineError: The model or the index refused.
    """
    if not question.strip():
        raise UsageError("the question is empty")
    limit = max(CANDIDATES, top_k * 4)
    dense, sparse = index.search(
        collection, embedding.question(question), encode_question(question), limit=limit, filters=filters
    )
    return diversify(fuse(dense, sparse), top_k=top_k, max_per_document=max_per_document)


def checked_filters(filters: Mapping[str, str | Sequence[str]] | None) -> Filters:
    """Return filters in one form.

    Args:
        filters: A value or several allowed values by payload field; None filters nothing.

    Raises:
        UsageError: A field is not indexed, or has no value.
    """
    checked: Filters = {}
    for name, value in (filters or {}).items():
        values = (value,) if isinstance(value, str) else tuple(value)
        if name not in FILTER_FIELDS:
            raise UsageError(f"cannot filter by {name!r}", hint=f"filter by {', '.join(FILTER_FIELDS)}")
        if not values:
            raise UsageError(f"the filter {name} allows no value", hint="leave it out to allow every value")
        checked[name] = values
    return checked


def fuse(
    dense: Sequence[Hit], sparse: Sequence[Hit], *, dense_share: float = DENSE_SHARE
) -> list[ScoredChunk]:
    """Merge two rankings by their scores, each scaled to its own range.

    Args:
        dense: Hits by cosine.
        sparse: Hits by BM25.
        dense_share: Weight of the dense ranking, 0 to 1.

    Returns:
        Each chunk once, best first; ties ordered by id. A chunk that one search did not find counts 0 there.

    Source: convex combination of normalized scores, Bruch, Gai and Ingber, "An Analysis of Fusion Functions for
    Hybrid Retrieval", 2023.
    """
    scores: dict[str, float] = defaultdict(float)
    for hits, share in ((dense, dense_share), (sparse, 1 - dense_share)):
        for hit, score in zip(hits, _scaled(hits), strict=True):
            scores[hit.id] += share * score
    cosines = {hit.id: hit.score for hit in dense}
    weights = {hit.id: hit.score for hit in sparse}
    payloads = {hit.id: hit.payload for hit in [*dense, *sparse]}
    ranked = sorted(scores, key=lambda name: (-scores[name], name))
    return [
        _chunk(name, payloads[name], scores[name], cosines.get(name), weights.get(name)) for name in ranked
    ]


def diversify(ranking: Sequence[ScoredChunk], *, top_k: int, max_per_document: int) -> list[ScoredChunk]:
    """Return the best chunks without letting one document fill the list.

    Chunks over a document's share come after all others, so the list is as long as it can be.
    """
    taken: Counter[str] = Counter()
    chosen: list[ScoredChunk] = []
    surplus: list[ScoredChunk] = []
    for chunk in ranking:
        taken[chunk.document] += 1
        (chosen if taken[chunk.document] <= max_per_document else surplus).append(chunk)
    return [*chosen, *surplus][:top_k]


def _scaled(hits: Sequence[Hit]) -> list[float]:
    """Scale scores so that the best is 1, and the worst near 0 when there are several."""
    if not hits:
        return []
    best, worst = max(hit.score for hit in hits), min(hit.score for hit in hits)
    if best == worst:
        return [1.0] * len(hits)
    return [(hit.score - worst) / (best - worst) for hit in hits]


def _chunk(
    name: str, payload: Mapping[str, object], score: float, dense: float | None, sparse: float | None
) -> ScoredChunk:
    try:
        return ScoredChunk(
            chunk_id=name,
            document=str(payload["document"]),
            title=str(payload["title"]),
            heading=str(payload["heading"]),
            text=str(payload["text"]),
            score=score,
            dense_score=dense,
            sparse_score=sparse,
            metadata={key: payload[key] for key in ("lesson_type", "platform", "tags", "updated")},
        )
    except KeyError as error:
        raise IndexFailed(
            f"point {name} has no {error.args[0]} in its payload", hint="ingest the folder again"
        ) from error
