"""The stages that ask: retrieve, cache, answer, gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragbed.errors import CheckFailed
from ragbed.evaluation import Judged, measure
from ragbed.evaluation.retrieval import hit_at
from ragbed.smoke.asking import own_questions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ragbed.data import Question
    from ragbed.evaluation import RetrievalFigures
    from ragbed.pipeline import Answer, Gap
    from ragbed.smoke.run import Run

KEDA = "Kubernetes pod autoscaling with KEDA"
UNANSWERABLE = (
    KEDA,
    "How long does a sourdough starter need in the fridge?",
    "Who won the chess title in 1972?",
)
"""Questions that make a gap, the first one whose words the corpus lacks."""

MOST_ASKED = 5
"""Questions that the answer stage asks at most."""

LOWEST_HIT_AT_5 = 0.75
"""Below this, retrieval is broken, not merely weak; our own lessons reach more, see the golden questions' page."""


def retrieve(run: Run) -> str:
    """Filters really filter, and golden questions find their documents."""
    filtered = _check_filter(run)
    questions = run.questions()
    if not questions:
        return f"{filtered}; no golden questions for this corpus"
    judged = _judge(run, questions)
    run.retrieval = measure([one for _, one in judged])
    held_out = [one for question, one in judged if question.held_out]
    run.held_out = measure(held_out) if held_out else None
    if run.retrieval.answerable and run.retrieval.hit_at_5 < LOWEST_HIT_AT_5:
        raise CheckFailed(
            f"hit@5 is {run.retrieval.hit_at_5:.2f} over {run.retrieval.answerable} questions,"
            f" the least is {LOWEST_HIT_AT_5:.2f}",
            details=[f"{q.id}: {q.question}" for q, one in judged if one.relevant and not hit_at(one, 5)][
                :10
            ],
        )
    return f"{filtered}; {_describe(run.retrieval)}"


def _judge(run: Run, questions: Sequence[Question]) -> list[tuple[Question, Judged]]:
    """Ask every question, without answering it: what is found, and whether a gap is seen."""
    judged = []
    for number, question in enumerate(questions, 1):
        passages, gap = run.ready.examine(question.question, top_k=10)
        one = Judged(
            relevant=frozenset(question.relevant),
            found=tuple(passage.document for passage in passages),
            gap=_is_gap(gap),
            kind=question.kind,
        )
        judged.append((question, one))
        if number % 50 == 0:
            run.say(f"{number} of {len(questions)} questions")
    return judged


def _is_gap(gap: Gap | None) -> bool:
    """Tell whether something is missing; what is merely old is there, and ages as the calendar goes on."""
    return gap is not None and gap.kind != "stale"


def _describe(figures: RetrievalFigures) -> str:
    return (
        f"{figures.questions} questions, hit@5 {figures.hit_at_5:.2f}, MRR@10 {figures.mrr_at_10:.2f},"
        f" {figures.false_gaps} false and {figures.missed_gaps} missed gaps"
    )


def _check_filter(run: Run) -> str:
    """Filter by a value that only some documents have, and by one that none has."""
    kinds = sorted({document.lesson_type for document in run.documents.documents if document.lesson_type})
    name, value = ("lesson_type", kinds[0]) if kinds else ("document", run.documents.documents[0].path)
    members = {d.path for d in run.documents.documents if (d.lesson_type if kinds else d.path) == value}
    question = run.documents.documents[-1].title
    inside = run.ready.retrieve(question, top_k=10, filters={name: value})
    if not inside or (strays := {one.document for one in inside} - members):
        what = f"let {strays.pop()} through" if inside else "found nothing"
        raise CheckFailed(
            f"the filter {name}={value} {what}", hint="look at the payload indexes of the collection"
        )
    if none := run.ready.retrieve(question, top_k=10, filters={name: "no-such-value"}):
        raise CheckFailed(f"a filter by a value that nothing has let {none[0].document} through")
    return f"filter {name}={value} holds"


def cache(run: Run) -> str:
    """The second asking of a question takes its embedding from the cache."""
    question = f"What does run {run.id} have to do with embeddings?"
    first = run.ready.ask(question)
    second = run.ready.ask(question)
    run.count(first)
    run.count(second)
    if first.cached_embeddings or not second.cached_embeddings:
        raise CheckFailed(
            f"the first asking found {first.cached_embeddings} embeddings in the cache, the second"
            f" {second.cached_embeddings}; expected 0 and 1",
            hint="look whether Redis evicts: ragbed logs redis",
        )
    return "a second asking took its embedding from the cache"


def answer(run: Run) -> str:
    """An answer cites passages, and every citation names one that was given and stands in its document.

    Questions are asked whose document is among the passages, one after the other, until one is answered: a small
    model refuses some. Documents without golden questions are asked for their own first sentences.
    """
    asked = _covered_questions(run) or own_questions(run.documents.documents, most=MOST_ASKED)
    if not asked:
        return "nothing was asked: no document holds a sentence"
    problems: list[str] = []
    evidence: list[str] = []
    for question in asked:
        given = run.ready.ask(question)
        run.count(given)
        fault = _fault(given)
        if not fault:
            return f"{run.named_model(given.model)} cites {_cited(run, given)}{_before(problems)}"
        problems.append(f"the answer to {question!r} {fault}")
        evidence += [f"answer: {given.text[:300]}", *(f"passage: {p.document}" for p in given.passages)]
    raise CheckFailed(
        problems[0] if len(asked) == 1 else f"none of {len(asked)} answers rests on passages",
        details=[*(problems if len(asked) > 1 else []), *evidence],
    )


def _covered_questions(run: Run) -> list[str]:
    """Return golden questions whose document is among the passages that the model will be given."""
    found: list[str] = []
    for one in run.questions():
        if len(found) == MOST_ASKED:
            break
        if one.relevant:
            given = {passage.document for passage in run.ready.retrieve(one.question)}
            found += [one.question] if given.intersection(one.relevant) else []
    return found


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


def _cited(run: Run, given: Answer) -> str:
    """Return the documents that an answer cites, having found each cited text in its document."""
    bodies = {document.path: document.body for document in run.documents.documents}
    for citation in given.citations:
        passage = next(one for one in given.passages if one.chunk_id == citation.chunk_id)
        if passage.text not in bodies.get(citation.document, ""):
            raise CheckFailed(f"[{citation.number}] cites text that is not in {citation.document}")
    return ", ".join(dict.fromkeys(citation.document for citation in given.citations))


def gaps(run: Run) -> str:
    """A question that the corpus does not cover leaves a row, a JSON record and a review page."""
    text = "\n".join(f"{document.title}\n{document.body}" for document in run.documents.documents).lower()
    question = next(
        (one for one in UNANSWERABLE if one.split()[-1].strip("?").lower() not in text), UNANSWERABLE[-1]
    )
    asked = run.ready.ask(question)
    run.count(asked)
    if asked.gap is None:
        raise CheckFailed(
            f"{question!r} made no gap",
            details=[f"passage: {p.document} ({p.score:.2f})" for p in asked.passages],
        )
    if question == KEDA and asked.gap.kind != "missing_platform":
        raise CheckFailed(f"{question!r} made a {asked.gap.kind} gap, expected missing_platform")
    pages = run.configured.gaps_dir
    places = {
        "row": asked.gap.id in {gap.id for gap in run.ready.gaps()},
        "JSON record": (pages / f"{asked.gap.id}.json").is_file(),
        "review page": (pages / f"{asked.gap.id}.md").is_file(),
    }
    if missing := [place for place, there in places.items() if not there]:
        raise CheckFailed(
            f"the gap {asked.gap.id} left no {' and no '.join(missing)}", details=[f"pages: {pages}"]
        )
    if len(asked.gap.queries) != 4:
        raise CheckFailed(f"the gap {asked.gap.id} has {len(asked.gap.queries)} search queries, expected 4")
    return f"{asked.gap.kind}: {asked.gap.subject}, as a row, a record and a page in {pages}"
