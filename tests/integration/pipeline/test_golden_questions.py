"""The bars that the golden questions set, measured on the third that nothing was tuned on."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from ragbed.data import Question, lessons_folder, load_questions, questions_file
from ragbed.evaluation import Judged, RetrievalFigures, measure
from ragbed.pipeline import Pipeline, open_pipeline
from ragbed.pipeline.on_stack import pipeline_config
from ragbed.state import StateFolder

if TYPE_CHECKING:
    from ragbed.settings import Settings
    from ragbed.stack import Stack


@pytest.fixture(scope="module")
def judged(
    stack: Stack, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> list[tuple[Question, Judged]]:
    """Return every golden question with what the pipeline made of it."""
    folder = StateFolder(tmp_path_factory.mktemp("golden"))
    name = f"golden_{secrets.token_hex(6)}"
    with open_pipeline(pipeline_config(stack, settings, folder=folder, namespace=name)) as pipeline:
        pipeline.ingest(lessons_folder())
        questions = load_questions(questions_file())
        answers = [(question, judge(pipeline, question)) for question in questions]
        pipeline.drop()
    return answers


def judge(pipeline: Pipeline, question: Question) -> Judged:
    """Return what the pipeline makes of a question."""
    passages, gap = pipeline.examine(question.question, top_k=10)
    found = tuple(passage.document for passage in passages)
    return Judged(relevant=frozenset(question.relevant), found=found, gap=gap is not None, kind=question.kind)


@pytest.fixture(scope="module")
def held_out(judged: list[tuple[Question, Judged]]) -> RetrievalFigures:
    """Return the figures of the held-out questions."""
    return measure([one for question, one in judged if question.held_out])


def test_held_out_questions_find_their_documents(held_out: RetrievalFigures) -> None:
    """A relevant document is among the first five for at least 85 of 100."""
    assert held_out.hit_at_5 >= 0.85


def test_answerable_questions_seldom_make_a_gap(held_out: RetrievalFigures) -> None:
    """At most one answerable question in ten is called a gap."""
    assert held_out.false_gaps <= held_out.answerable * 0.1


def test_far_questions_make_a_gap(judged: list[tuple[Question, Judged]]) -> None:
    """At most two of the twenty questions off the topic go unnoticed."""
    far = [one for question, one in judged if question.kind == "far"]

    assert len(far) == 20
    assert sum(not one.gap for one in far) <= 2
