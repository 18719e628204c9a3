"""Retrieval metrics over distinct documents: hit rate, recall, mean reciprocal rank; gaps found and missed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HIT_DEPTH = 5
RANK_DEPTH = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One question with what was found for it.

    Attributes:
        relevant: Documents that answer it; empty when it is unanswerable.
        found: Documents of the chunks found, best first; a document may come more than once.
        gap: Whether a gap was reported.
        kind: How far an unanswerable question is from the topic: `near`, `far` or empty.
    """

    relevant: frozenset[str]
    found: tuple[str, ...]
    gap: bool
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrievalFigures:
    """The figures of a set of questions.

    Attributes:
        questions: How many.
        hit_at_5: Share of answerable questions with a relevant document among the first five, 0 to 1.
        recall_at_5: Mean share of the relevant documents among the first five, 0 to 1.
        mrr_at_10: Mean reciprocal rank of the first relevant document among the first ten, 0 to 1.
        answerable: How many of the questions have an answer in the corpus.
        false_gaps: Answerable questions for which a gap was reported.
        missed_gaps: Unanswerable questions for which none was.
        missed_by_kind: The same by kind.
    """

    questions: int
    hit_at_5: float
    recall_at_5: float
    mrr_at_10: float
    answerable: int
    false_gaps: int
    missed_gaps: int
    missed_by_kind: Mapping[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return {
            "questions": self.questions,
            "hit_at_5": self.hit_at_5,
            "recall_at_5": self.recall_at_5,
            "mrr_at_10": self.mrr_at_10,
            "answerable": self.answerable,
            "false_gaps": self.false_gaps,
            "missed_gaps": self.missed_gaps,
            "missed_by_kind": dict(self.missed_by_kind),
        }


def measure(judged: Sequence[Judged]) -> RetrievalFigures:
    """Return the figures of questions that were asked.

    Args:
        judged: The questions; may be empty, and then every share is 0.

    Source: reciprocal rank as in the TREC-8 question answering track, Voorhees, 1999.
    """
    answerable = [one for one in judged if one.relevant]
    missed = [one for one in judged if not one.relevant and not one.gap]
    return RetrievalFigures(
        questions=len(judged),
        hit_at_5=_mean([float(hit_at(one, HIT_DEPTH)) for one in answerable]),
        recall_at_5=_mean([recall_at(one, HIT_DEPTH) for one in answerable]),
        mrr_at_10=_mean([reciprocal_rank_at(one, RANK_DEPTH) for one in answerable]),
        answerable=len(answerable),
        false_gaps=sum(one.gap for one in answerable),
        missed_gaps=len(missed),
        missed_by_kind=dict(Counter(one.kind or "unanswerable" for one in missed)),
    )


def hit_at(judged: Judged, k: int) -> bool:
    """Tell whether a relevant document is among the first `k` distinct ones."""
    return not judged.relevant.isdisjoint(distinct(judged.found)[:k])


def recall_at(judged: Judged, k: int) -> float:
    """Return the share of the relevant documents among the first `k` distinct ones, 0 to 1."""
    return len(judged.relevant.intersection(distinct(judged.found)[:k])) / len(judged.relevant)


def reciprocal_rank_at(judged: Judged, k: int) -> float:
    """Return 1 / rank of the first relevant document among the first `k` distinct ones; 0 when there is none."""
    ranks = (
        rank for rank, document in enumerate(distinct(judged.found)[:k], 1) if document in judged.relevant
    )
    return 1 / next(ranks, float("inf"))


def distinct(documents: Sequence[str]) -> list[str]:
    """Return the documents in order, each once."""
    return list(dict.fromkeys(documents))


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 4) if values else 0.0
