"""Words made comparable, weighed by BM25, and two rankings fused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragbed.errors import IndexFailed
from ragbed.pipeline.ports import Hit
from ragbed.pipeline.records import ScoredChunk
from ragbed.pipeline.retrieval import diversify, fuse
from ragbed.pipeline.sparse import K1, encode_chunk, encode_question, term_id
from ragbed.pipeline.terms import stem, terms


def hit(name: str, score: float, document: str = "a.md") -> Hit:
    """Return a hit with a full payload."""
    payload = {"document": document, "title": "", "heading": "", "text": ""}
    return Hit(
        id=name,
        score=score,
        payload={**payload, "lesson_type": "", "platform": "", "tags": [], "updated": ""},
    )


def chunk(name: str, document: str) -> ScoredChunk:
    """Return a chunk of a document."""
    return ScoredChunk(chunk_id=name, document=document, title="", heading="", text="", score=1)


@pytest.mark.parametrize(
    "forms",
    [
        ("migration", "migrations", "migrate", "migrated", "migrating"),
        ("connection", "connections", "connect", "connected"),
        ("embedding", "embed", "embedded", "embeds"),
        ("cache", "caches", "cached", "caching"),
        ("retry", "retries", "retried"),
        ("silent", "silently"),
        ("exceed", "exceeds", "exceeded"),
    ],
    ids=lambda forms: forms[0],
)
def test_forms_of_a_word_share_a_stem(forms: tuple[str, ...]) -> None:
    """A question in other forms finds the text."""
    assert len({stem(form) for form in forms}) == 1


@pytest.mark.parametrize(
    ("first", "second"), [("string", "stre"), ("process", "proces5"), ("status", "state"), ("redis", "red")]
)
def test_other_words_keep_other_stems(first: str, second: str) -> None:
    """A light stemmer does not throw words together."""
    assert stem(first) != stem(second)


def test_identifiers_fall_apart_into_words() -> None:
    """Settings, paths and commands are found by their parts."""
    assert terms("max_connections /api/embed postmaster.pid") == [
        "max",
        "connect",
        "api",
        "embed",
        "postmaster",
        "pid",
    ]


@given(st.text())
def test_any_text_has_weights_within_their_range(text: str) -> None:
    """Weights are positive; ids fit into 32 bits; a question's weights are 1."""
    assert all(weight > 0 and 0 <= name < 2**32 for name, weight in encode_chunk(text).items())
    assert set(encode_question(text).values()) <= {1.0}


def test_repeating_a_term_counts_less_and_less() -> None:
    """Twenty uses weigh no more than K1 + 1."""
    one, two, many = (encode_chunk("server " * count)[term_id("server")] for count in (1, 2, 20))

    assert one < two < many < K1 + 1
    assert two - one < one


def test_term_ids_are_the_same_in_every_process() -> None:
    """Ids stay as they are: an index on disk depends on them."""
    assert term_id("server") == 1_238_935_884


def test_chunk_found_by_both_searches_leads() -> None:
    """Two good places beat one best."""
    fused = fuse(
        [hit("a", 0.9), hit("b", 0.85), hit("x", 0.1)], [hit("c", 9.0), hit("b", 8.5), hit("x", 1.0)]
    )

    assert fused[0].chunk_id == "b"


def test_fused_scores_lie_between_0_and_1() -> None:
    """The best possible chunk, first in both, has 1."""
    fused = fuse([hit("a", 0.9), hit("b", 0.1)], [hit("a", 9.0), hit("b", 1.0)])

    assert [chunk.score for chunk in fused] == [1.0, 0.0]


def test_ties_are_ordered_by_id() -> None:
    """The same question gives the same order everywhere."""
    assert [chunk.chunk_id for chunk in fuse([hit("b", 0.5), hit("a", 0.5)], [])] == ["a", "b"]


def test_no_hits_fuse_to_nothing() -> None:
    """A filter that nothing matches gives an empty list."""
    assert fuse([], []) == []


def test_point_without_our_payload_is_an_error() -> None:
    """A foreign point is named, not shown half empty."""
    with pytest.raises(IndexFailed, match="point p has no document in its payload"):
        fuse([Hit(id="p", score=1.0, payload={})], [])


def test_one_document_does_not_fill_the_list() -> None:
    """Surplus chunks of a document come after the others."""
    ranking = [chunk("1", "a"), chunk("2", "a"), chunk("3", "a"), chunk("4", "b")]

    chosen = diversify(ranking, top_k=4, max_per_document=2)

    assert [one.chunk_id for one in chosen] == ["1", "2", "4", "3"]
