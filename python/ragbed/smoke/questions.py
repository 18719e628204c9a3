"""The stages that ask: retrieve, cache, answer, gaps."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING

from ragbed.errors import CheckFailed
from ragbed.evaluation import Judged, measure
from ragbed.evaluation.retrieval import hit_at
from ragbed.smoke.generated_questions import own_questions
from ragbed.smoke.plan import Seen, named_model
from ragbed.smoke.report import RetrievalResult

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ragbed.data import Question
    from ragbed.evaluation import RetrievalFigures
    from ragbed.events import EventSink
    from ragbed.pipeline import Answer, Document, Gap
    from ragbed.smoke.plan import SmokePlan
    from ragbed.stack import Stack
    from ragbed.targets import Target

KEDA = "Kubernetes pod autoscaling with KEDA"
UNANSWERABLE = (
    KEDA,
    "How long does a sourdough starter need in the fridge?",
    "Who won the chess title in 1972?",
)
"""Questions that make a gap, the first one whose words the corpus lacks."""

MOST_ASKED = 5
"""Questions that the answer stage asks at most."""

ASKED_AT_ONCE = 4
"""Golden questions that are under way together: services work on one while this process waits for another."""

LOWEST_HIT_AT_5 = 0.75
"""Below this, retrieval is broken, not merely weak; our own lessons reach more, see the golden questions' page."""


def retrieve(
    plan: SmokePlan, target: Target, documents: Sequence[Document], questions: Sequence[Question]
) -> Seen[RetrievalResult | None]:
    """Filters really filter, and golden questions find their documents."""
    filtered = _check_filter(target, documents)
    if not questions:
        return Seen(line=f"{filtered}; no golden questions for this corpus", value=None)
    judged = _judge(target, questions, plan.events)
    held_out = [one for question, one in zip(questions, judged, strict=True) if question.held_out]
    result = RetrievalResult(all=measure(judged), held_out=measure(held_out) if held_out else None)
    missed = [
        f"{question.id}: {question.question}"
        for question, one in zip(questions, judged, strict=True)
        if one.relevant and not hit_at(one, 5)
    ]
    return Seen(
        line=f"{filtered}; {_describe(result.all)}", value=result, failure=_too_weak(result.all, missed)
    )


def _too_weak(figures: RetrievalFigures, missed: Sequence[str]) -> CheckFailed | None:
    if not figures.answerable or figures.hit_at_5 >= LOWEST_HIT_AT_5:
        return None
    return CheckFailed(
        f"hit@5 is {figures.hit_at_5:.2f} over {figures.answerable} questions, the least is {LOWEST_HIT_AT_5:.2f}",
        details=missed[:10],
    )


def _judge(target: Target, questions: Sequence[Question], events: EventSink) -> list[Judged]:
    """Ask every question, without answering it: what is found, and whether a gap is seen."""

    def ask(question: Question) -> Judged:
        retrieved = target.retrieve(question.question, top_k=10)
        return Judged(
            relevant=frozenset(question.relevant),
            found=tuple(retrieved.documents),
            gap=_is_gap(retrieved.gap),
            kind=question.kind,
        )

    judged = []
    with ThreadPoolExecutor(ASKED_AT_ONCE, thread_name_prefix="question") as pool:
        try:
            asked = [pool.submit(copy_context().run, ask, question) for question in questions]
            for one in asked:
                judged.append(one.result())
                if len(judged) % 50 == 0:
                    done, total = len(judged), len(questions)
                    events.emit("stage.progress", "retrieve", done=done, total=total, unit="questions")
        except BaseException:
            pool.shutdown(
                wait=False, cancel_futures=True
            )  # the first failure tells all; the rest need not be asked
            raise
    return judged


def _is_gap(gap: Gap | None) -> bool:
    """Tell whether something is missing; what is merely old is there, and ages as the calendar goes on."""
    return gap is not None and gap.kind != "stale"


def _describe(figures: RetrievalFigures) -> str:
    return (
        f"{figures.questions} questions, hit@5 {figures.hit_at_5:.2f}, MRR@10 {figures.mrr_at_10:.2f},"
        f" {figures.false_gaps} false and {figures.missed_gaps} missed gaps"
    )


def _check_filter(target: Target, documents: Sequence[Document]) -> str:
    """Filter by a value that only some documents have, and by one that none has."""
    kinds = sorted({document.lesson_type for document in documents if document.lesson_type})
    name, value = ("lesson_type", kinds[0]) if kinds else ("document", documents[0].path)
    members = {d.path for d in documents if (d.lesson_type if kinds else d.path) == value}
    question = documents[-1].title
    inside = target.retrieve(question, top_k=10, filters={name: value}).documents
    if not inside or (strays := set(inside) - members):
        what = f"let {strays.pop()} through" if inside else "found nothing"
        raise CheckFailed(
            f"the filter {name}={value} {what}", hint="look at the payload indexes of the collection"
        )
    if none := target.retrieve(question, top_k=10, filters={name: "no-such-value"}).documents:
        raise CheckFailed(f"a filter by a value that nothing has let {none[0]} through")
    return f"filter {name}={value} holds"


def cache(plan: SmokePlan, target: Target) -> Seen[None]:
    """A question that is asked again takes its embedding from the cache."""
    question = f"What does run {plan.id} have to do with embeddings?"
    first = target.answer(question)
    second = target.answer(question)
    if first.cached_embeddings or not second.cached_embeddings:
        raise CheckFailed(
            f"the first asking found {first.cached_embeddings} embeddings in the cache, the second"
            f" {second.cached_embeddings}; expected 0 and 1",
            hint="look whether Redis evicts: ragbed logs redis",
        )
    return Seen(line="the second time, a question takes its embedding from the cache", value=None)


def answer(
    stack: Stack, target: Target, documents: Sequence[Document], questions: Sequence[Question]
) -> Seen[None]:
    """An answer cites passages, and every citation names one that was given and stands in its document.

    Questions are asked whose document is among the passages, one after the other, until one is answered: a small
    model refuses some. Documents without golden questions are asked for their own first sentences.
    """
    asked = _covered_questions(target, questions) or own_questions(documents, most=MOST_ASKED)
    if not asked:
        return Seen(line="nothing was asked: no document holds a sentence", value=None)
    problems: list[str] = []
    evidence: list[str] = []
    for question in asked:
        given = target.answer(question)
        fault = _fault(given)
        if not fault:
            line = f"{named_model(stack, given.model)} cites {_cited(documents, given)}{_before(problems)}"
            return Seen(line=line, value=None)
        problems.append(f"the answer to {question!r} {fault}")
        evidence += [f"answer: {given.text[:300]}", *(f"passage: {p.document}" for p in given.passages)]
    raise CheckFailed(
        problems[0] if len(asked) == 1 else f"none of {len(asked)} answers rests on passages",
        details=[*(problems if len(asked) > 1 else []), *evidence],
    )


def _covered_questions(target: Target, questions: Sequence[Question]) -> list[str]:
    """Return golden questions whose document is among the passages that the model will be given."""
    covered: list[str] = []
    for one in questions:
        if len(covered) == MOST_ASKED:
            break
        if one.relevant and not set(one.relevant).isdisjoint(target.retrieve(one.question).documents):
            covered.append(one.question)
    return covered


def _before(problems: Sequence[str]) -> str:
    """Return what came of the questions that were asked before one was answered."""
    return f"; before it {'; '.join(problems)}" if problems else ""


def _fault(given: Answer) -> str:
    """Return what keeps an answer from resting on passages; empty when it does."""
    if given.refused:
        return "refused"
    if not given.citations:
        return "cites nothing"
    return "" if given.grounded else "cites what was not given"


def _cited(documents: Sequence[Document], given: Answer) -> str:
    """Return the documents that an answer cites, having found each cited text in its document."""
    bodies = {document.path: document.body for document in documents}
    for citation in given.citations:
        passage = next(one for one in given.passages if one.chunk_id == citation.chunk_id)
        if passage.text not in bodies.get(citation.document, ""):
            raise CheckFailed(f"[{citation.number}] cites text that is not in {citation.document}")
    return ", ".join(dict.fromkeys(citation.document for citation in given.citations))


def gaps(target: Target, documents: Sequence[Document], pages: Path) -> Seen[None]:
    """A question that the corpus does not cover leaves a row, a JSON record and a review page."""
    text = "\n".join(f"{document.title}\n{document.body}" for document in documents).lower()
    question = next(
        (one for one in UNANSWERABLE if one.split()[-1].strip("?").lower() not in text), UNANSWERABLE[-1]
    )
    asked = target.answer(question)
    if asked.gap is None:
        raise CheckFailed(
            f"{question!r} made no gap",
            details=[f"passage: {p.document} ({p.score:.2f})" for p in asked.passages],
        )
    if question == KEDA and asked.gap.kind != "missing_platform":
        raise CheckFailed(f"{question!r} made a {asked.gap.kind} gap, expected missing_platform")
    places = {
        "row": asked.gap.id in {gap.id for gap in target.gaps()},
        "JSON record": (pages / f"{asked.gap.id}.json").is_file(),
        "review page": (pages / f"{asked.gap.id}.md").is_file(),
    }
    if missing := [place for place, there in places.items() if not there]:
        raise CheckFailed(
            f"the gap {asked.gap.id} left no {' and no '.join(missing)}", details=[f"pages: {pages}"]
        )
    if len(asked.gap.queries) != 4:
        raise CheckFailed(f"the gap {asked.gap.id} has {len(asked.gap.queries)} search queries, expected 4")
    line = f"{asked.gap.kind}: {asked.gap.subject}, as a row, a record and a page in {pages}"
    return Seen(line=line, value=None)
