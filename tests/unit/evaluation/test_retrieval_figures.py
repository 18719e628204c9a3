"""Retrieval metrics: hand-made cases with known figures, and the laws that hold for all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragbed.evaluation import Judged, measure
from ragbed.evaluation.retrieval import distinct, hit_at, recall_at, reciprocal_rank_at

DOCUMENTS = st.sampled_from("abcdefghijkl")
JUDGED = st.builds(
    Judged,
    relevant=st.frozensets(DOCUMENTS, max_size=4),
    found=st.lists(DOCUMENTS, max_size=20).map(tuple),
    gap=st.booleans(),
    kind=st.sampled_from(["", "near", "far"]),
)
ANSWERABLE = JUDGED.filter(lambda one: bool(one.relevant))


def judged(relevant: str, found: str, *, gap: bool = False, kind: str = "") -> Judged:
    """Return a question whose documents are single letters."""
    return Judged(relevant=frozenset(relevant), found=tuple(found), gap=gap, kind=kind)


@pytest.mark.parametrize(
    ("relevant", "found", "hit", "recall", "reciprocal"),
    [
        pytest.param("a", "abc", True, 1.0, 1.0, id="first"),
        pytest.param("c", "abc", True, 1.0, 1 / 3, id="third"),
        pytest.param("ax", "abc", True, 0.5, 1.0, id="half-of-them"),
        pytest.param("x", "abc", False, 0.0, 0.0, id="none"),
        pytest.param("a", "", False, 0.0, 0.0, id="nothing-found"),
        pytest.param("f", "abcdef", False, 0.0, 1 / 6, id="sixth-is-past-five"),
        pytest.param("k", "abcdefghijk", False, 0.0, 0.0, id="eleventh-is-past-ten"),
        pytest.param("c", "aaaabbbbc", True, 1.0, 1 / 3, id="chunks-of-one-document-count-once"),
        pytest.param("ab", "ba", True, 1.0, 1.0, id="order-among-the-relevant-is-free"),
    ],
)
def test_known_figures(relevant: str, found: str, hit: bool, recall: float, reciprocal: float) -> None:
    """Figures of one question, worked out by hand."""
    one = judged(relevant, found)

    assert (hit_at(one, 5), recall_at(one, 5)) == (hit, recall)
    assert reciprocal_rank_at(one, 10) == pytest.approx(reciprocal)


def test_a_set_has_the_means_of_its_answerable_questions() -> None:
    """Unanswerable questions count for gaps alone."""
    figures = measure(
        [
            judged("a", "abc"),
            judged("b", "abc", gap=True),
            judged("x", "abc"),
            judged("", "abc"),
            judged("", "abc", gap=True),
            judged("", "", kind="near"),
        ]
    )

    assert (figures.questions, figures.answerable, figures.false_gaps, figures.missed_gaps) == (6, 3, 1, 2)
    assert (figures.hit_at_5, figures.recall_at_5, figures.mrr_at_10) == (0.6667, 0.6667, 0.5)
    assert figures.missed_by_kind == {"unanswerable": 1, "near": 1}


def test_no_questions_have_figures_of_zero() -> None:
    """An empty set divides by nothing."""
    figures = measure([])

    assert (figures.questions, figures.hit_at_5, figures.mrr_at_10) == (0, 0.0, 0.0)


@given(questions=st.lists(JUDGED, max_size=8))
def test_shares_lie_between_zero_and_one(questions: list[Judged]) -> None:
    """Every share is a share, and reciprocal rank and recall are positive only where there is a hit."""
    figures = measure(questions)

    assert all(0 <= share <= 1 for share in (figures.hit_at_5, figures.recall_at_5, figures.mrr_at_10))
    assert figures.recall_at_5 <= figures.hit_at_5


@given(one=ANSWERABLE)
def test_distinct_documents_count_once(one: Judged) -> None:
    """Further chunks of a document change no figure."""
    once = Judged(relevant=one.relevant, found=tuple(distinct(one.found)), gap=one.gap)

    assert measure([once]).to_json() == measure([one]).to_json()


@given(one=ANSWERABLE, k=st.integers(min_value=1, max_value=15))
def test_a_deeper_look_finds_no_less(one: Judged, k: int) -> None:
    """Hit, recall and reciprocal rank never fall with depth."""
    assert hit_at(one, k) <= hit_at(one, k + 1)
    assert recall_at(one, k) <= recall_at(one, k + 1)
    assert reciprocal_rank_at(one, k) <= reciprocal_rank_at(one, k + 1)


@given(documents=st.lists(DOCUMENTS))
def test_distinct_keeps_the_first_of_each_in_order(documents: list[str]) -> None:
    """Nothing is lost, doubled or moved before what came earlier."""
    found = distinct(documents)

    assert set(found) == set(documents)
    assert found == sorted(set(documents), key=documents.index)
