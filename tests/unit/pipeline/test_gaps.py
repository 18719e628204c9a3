"""Gaps: rules that say what is missing and why."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from ragbed.pipeline.gaps import content_terms, find_gap, measure
from ragbed.pipeline.platforms import platform_names
from ragbed.pipeline.ports import Vocabulary
from ragbed.pipeline.records import Gap, ScoredChunk
from ragbed.pipeline.searches import review_page, search_queries
from ragbed.pipeline.terms import terms

TODAY = date(2026, 11, 1)
TEXTS = {
    "ports.md": "Postgres listens on port 5432, Redis on port 6379.",
    "backup.md": "Take a nightly dump of the database with pg_dump and restore it with pg_restore.",
    "locks.md": "A stale lock file stops the server from starting after a crash.",
    "caches.md": "The embedding cache forgets vectors after an hour.",
}


def passages(*names: str, updated: str = "2026-10-01") -> list[ScoredChunk]:
    """Return a passage for each document."""
    return [
        ScoredChunk(
            chunk_id=name,
            document=name,
            title="",
            heading="",
            text=TEXTS[name],
            score=1,
            metadata={"updated": updated},
        )
        for name in names
    ]


def vocabulary(question: str) -> Vocabulary:
    """Return in how many of the texts the question's terms occur."""
    held = [set(terms(text)) for text in TEXTS.values()]
    wanted = content_terms(question)
    return Vocabulary(
        documents=len(TEXTS), frequencies={term: sum(term in one for one in held) for term in wanted}
    )


def kind(question: str, found: list[ScoredChunk]) -> str | None:
    """Return the kind of gap that a question makes."""
    gap = find_gap(question, found, vocabulary(question), today=TODAY)
    return gap.kind if gap else None


@pytest.mark.parametrize(
    ("question", "found", "expected"),
    [
        pytest.param("Which port does Postgres listen on?", ["ports.md"], None, id="covered"),
        pytest.param("Kubernetes pod autoscaling with KEDA", ["ports.md"], "missing_platform", id="platform"),
        pytest.param(
            "How do I restore a MongoDB dump?", ["backup.md"], "missing_platform", id="covered but for it"
        ),
        pytest.param("How do I bake sourdough bread?", ["ports.md"], "missing_topic", id="topic"),
        pytest.param("Who won the chess title in Reykjavik?", [], "missing_topic", id="nothing found"),
        pytest.param("restore the dump by robots", ["backup.md"], "thin_coverage", id="one weak document"),
    ],
)
def test_kind_says_what_is_missing(question: str, found: list[str], expected: str | None) -> None:
    """Each rule has its question."""
    assert kind(question, passages(*found)) == expected


@pytest.mark.parametrize(
    ("updated", "expected"),
    [("2026-10-01", None), ("2019-01-01", "stale"), ("", None)],
    ids=["new", "old", "no date"],
)
def test_old_evidence_is_stale(updated: str, expected: str | None) -> None:
    """What has no date is not called old."""
    assert kind("Which port does Postgres listen on?", passages("ports.md", updated=updated)) == expected


@pytest.mark.parametrize("question", ["what", "???", "Who is it?"])
def test_question_that_names_nothing_makes_no_gap(question: str) -> None:
    """Nothing is missing where nothing is asked for: a gap without a subject tells nobody what to write."""
    assert kind(question, passages("ports.md")) is None


def test_gap_explains_itself() -> None:
    """Reasons name the words and the nearest document."""
    gap = find_gap(
        "How do I bake sourdough bread?",
        passages("ports.md"),
        vocabulary("bake sourdough bread"),
        today=TODAY,
    )

    assert gap is not None
    assert gap.reasons[1] == "no document has bake, sourdough, bread"
    assert (gap.subject, gap.evidence) == ("bake sourdough bread", ())


def test_rare_words_count_more() -> None:
    """A document with the rare word covers more than one with the common word."""
    question = "port lock"
    common = measure(
        question, passages("ports.md"), Vocabulary(documents=100, frequencies={"port": 90, "lock": 2})
    )
    rare = measure(
        question, passages("locks.md"), Vocabulary(documents=100, frequencies={"port": 90, "lock": 2})
    )

    assert rare.best > 0.9
    assert common.best < 0.1


@pytest.mark.parametrize(
    ("question", "listed", "looks"),
    [
        pytest.param("Kubernetes pod autoscaling with KEDA", ["Kubernetes", "KEDA"], [], id="listed"),
        pytest.param("How does kafka work?", ["kafka"], [], id="lower case"),
        pytest.param("Why does KubeVirt fail?", [], ["KubeVirt"], id="capitals inside"),
        pytest.param("Does it run on Solaris?", [], ["Solaris"], id="capital within"),
        pytest.param("Does it fail? Restart it.", [], [], id="capital at the start"),
        pytest.param("What is 'Connection Refused'?", [], [], id="quoted"),
    ],
)
def test_names_are_told_from_words(question: str, listed: list[str], looks: list[str]) -> None:
    """Listed names count in any case, others only where they look like names."""
    assert platform_names(question) == (listed, looks)


def test_four_searches_name_what_is_missing() -> None:
    """They differ, and each begins with the missing names."""
    queries = search_queries("Kubernetes pod autoscaling with KEDA", "Kubernetes, KEDA")

    assert len(set(queries)) == 4
    assert all(query.startswith("Kubernetes KEDA pod autoscaling") for query in queries)


def test_review_page_links_the_searches_and_asks_for_a_decision() -> None:
    """Somebody can work from the page alone."""
    gap = Gap(
        id="gap-1",
        question="why?",
        kind="missing_topic",
        subject="x",
        reasons=("because",),
        queries=search_queries("why x?", "x"),
        evidence=(),
        created_at=datetime(2026, 11, 1, tzinfo=UTC),
    )

    page = review_page(gap)

    assert page.count("https://github.com/search?q=") == 4
    assert "- [ ] write a document" in page
