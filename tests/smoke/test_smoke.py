"""The smoke suite as a user of the pytest plugin would write it; `pytest -m smoke` runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ragbed.data import lessons_folder, load_questions, questions_file
from ragbed.evaluation import Judged, measure

if TYPE_CHECKING:
    from pathlib import Path

    from ragbed.pipeline import Pipeline
    from ragbed.stack import Stack

pytestmark = pytest.mark.smoke


def test_every_service_is_up(ragbed_stack: Stack) -> None:
    """The stack has all four services, Postgres and Redis real ones."""
    assert {name for name, endpoint in ragbed_stack.endpoints.items() if endpoint.real} >= {
        "postgres",
        "redis",
    }


def test_what_was_ingested_is_found(ragbed_pipeline: Pipeline, tmp_path: Path) -> None:
    """A document is found by a question about it."""
    (tmp_path / "cache.md").write_text("# Cache\n\nEmpty the cache with the command `flush`.\n")
    (tmp_path / "port.md").write_text("# Port\n\nThe server listens on port 7000.\n")

    ragbed_pipeline.ingest(tmp_path)

    assert ragbed_pipeline.retrieve("How do I empty the cache?")[0].document == "cache.md"


def test_unchanged_documents_are_not_embedded_again(ragbed_pipeline: Pipeline) -> None:
    """A second ingest of the same bytes embeds nothing."""
    first = ragbed_pipeline.ingest(lessons_folder())

    second = ragbed_pipeline.ingest(lessons_folder())

    assert (second.unchanged, second.embedded) == (first.documents, 0)


def test_held_out_questions_find_their_lessons(ragbed_pipeline: Pipeline) -> None:
    """Questions that nobody tuned on reach hit@5 of 0.85, with few false gaps and few far ones missed."""
    ragbed_pipeline.ingest(lessons_folder())
    judged = []
    for question in load_questions(questions_file()):
        passages, gap = ragbed_pipeline.examine(question.question, top_k=10)
        found = tuple(passage.document for passage in passages)
        missing = gap is not None and gap.kind != "stale"
        one = Judged(relevant=frozenset(question.relevant), found=found, gap=missing, kind=question.kind)
        judged.append((question.held_out, one))

    held_out = measure([one for is_held_out, one in judged if is_held_out])
    everything = measure([one for _, one in judged])
    assert held_out.hit_at_5 >= 0.85
    assert everything.false_gaps <= 0.10 * everything.answerable
    assert everything.missed_by_kind.get("far", 0) <= 2


def test_an_answer_cites_what_it_was_given(ragbed_pipeline: Pipeline) -> None:
    """An answer about a lesson cites that lesson."""
    ragbed_pipeline.ingest(lessons_folder())

    answer = ragbed_pipeline.ask("Why does Postgres refuse to start as root?")

    assert "postgres-refuses-root.md" in {citation.document for citation in answer.citations}


def test_a_question_beyond_the_documents_makes_a_gap(ragbed_pipeline: Pipeline) -> None:
    """What no lesson mentions is a missing platform, with four places to search."""
    ragbed_pipeline.ingest(lessons_folder())

    gap = ragbed_pipeline.ask("Kubernetes pod autoscaling with KEDA").gap

    assert gap is not None
    assert (gap.kind, len(gap.queries)) == ("missing_platform", 4)
