"""The stages of a smoke run: each checks something that can fail, and says in one line what it saw."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from ragbed.data import Question, lessons_folder, load_questions, questions_file
from ragbed.errors import CheckFailed, DriftError, UsageError
from ragbed.evaluation import Judged, RetrievalFigures, measure, simulated_cost_usd
from ragbed.guard import refuse_writes
from ragbed.pins import load_stack_pins
from ragbed.pins.versions import parse_version
from ragbed.pipeline import Pipeline, PipelineConfig, open_pipeline
from ragbed.pipeline.corpus import Corpus, build_corpus
from ragbed.pipeline.on_stack import pipeline_config
from ragbed.settings import definitions as known
from ragbed.smoke.report import CorpusFigures
from ragbed.smoke.writer import ingest_elsewhere
from ragbed.stack import Stack, running_stack

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack
    from pathlib import Path

    from ragbed.pipeline import Answer, Gap
    from ragbed.settings import Settings
    from ragbed.smoke.runner import SmokeOptions
    from ragbed.stack import Endpoint, StateFolder

T = TypeVar("T")
KEDA = "Kubernetes pod autoscaling with KEDA"
UNANSWERABLE = (
    KEDA,
    "How long does a sourdough starter need in the fridge?",
    "Who won the chess title in 1972?",
)
"""Questions that make a gap, the first one whose words the corpus lacks."""

DIMENSIONS = {"all-minilm": 384, "nomic-embed-text": 768}
"""Of the embedding models that the sets name; others are only checked against themselves."""

LOWEST_HIT_AT_5 = 0.75
"""Below this, retrieval is broken, not merely weak; our own lessons reach more, see the golden questions' page."""

_SAMPLES = 5
_CHARACTERS_PER_TOKEN = 4


@dataclass(kw_only=True)
class Run:
    """What stages hand on to each other.

    Attributes:
        id: The run's id.
        settings: The resolved settings.
        folder: The state folder.
        options: What is asked for.
        cleanup: Closed at the end of the run, in reverse order.
        say: Shows a line on the way.
        stack: Where the services answer, from stage `stack` on.
        pipeline: The pipeline of this process, from `migrate` on.
        config: Its configuration.
        built: The corpus as read, from stage `corpus` on.
        corpus: Its figures.
        retrieval: Figures of all golden questions.
        held_out: Figures of the held-out ones.
        tokens: Counted for `simulated_usd`.
    """

    id: str
    settings: Settings
    folder: StateFolder
    options: SmokeOptions
    cleanup: ExitStack
    say: Callable[[str], None]
    stack: Stack | None = None
    config: PipelineConfig | None = None
    pipeline: Pipeline | None = None
    built: Corpus | None = None
    corpus: CorpusFigures = field(default_factory=CorpusFigures)
    retrieval: RetrievalFigures | None = None
    held_out: RetrievalFigures | None = None
    tokens: dict[str, int] = field(default_factory=lambda: {"prompt": 0, "answer": 0, "embedding": 0})

    @property
    def up(self) -> Stack:
        """The stack; stages after `stack` have it."""
        return _there(self.stack, "stack")

    @property
    def ready(self) -> Pipeline:
        """The pipeline; stages after `migrate` have it."""
        return _there(self.pipeline, "migrate")

    @property
    def documents(self) -> Corpus:
        """The corpus; stages after `corpus` have it."""
        return _there(self.built, "corpus")

    @property
    def corpus_folder(self) -> Path:
        """The folder of documents."""
        return self.options.corpus or lessons_folder()

    def questions(self) -> list[Question]:
        """Return the golden questions: those asked for, else the lessons' own, else none."""
        if self.options.questions:
            return load_questions(self.options.questions)
        return load_questions(questions_file()) if self.options.corpus is None else []

    def simulated_usd(self) -> float:
        """Return what the run's calls would have cost at list price."""
        return simulated_cost_usd(
            prompt_tokens=self.tokens["prompt"],
            answer_tokens=self.tokens["answer"],
            embedding_tokens=self.tokens["embedding"],
        )

    def count(self, answer: Answer) -> None:
        """Count the tokens of an answer."""
        self.tokens["prompt"] += answer.prompt_tokens
        self.tokens["answer"] += answer.answer_tokens


def guard(run: Run) -> str:
    """Nothing is named like production, and the corpus is there, before any connection."""
    refuse_writes(run.settings, command="ragbed smoke")
    if not run.corpus_folder.is_dir():
        raise UsageError(
            f"the corpus {run.corpus_folder} is no folder", hint="give --corpus a folder of documents"
        )
    questions = run.questions()
    return f"tier {run.settings.tier.name}, nothing named like production, {len(questions)} golden questions"


def stack(run: Run) -> str:
    """Every service answers; none is a substitute where that was asked for."""
    run.stack = run.cleanup.enter_context(
        running_stack(
            run.settings,
            folder=run.folder,
            caller=run.options.caller,
            keep_up=run.options.keep,
            progress=lambda endpoint, _: run.say(f"{endpoint.product} {endpoint.version} is ready"),
        )
    )
    substitutes = [endpoint for endpoint in run.stack.endpoints.values() if not endpoint.real]
    if run.options.require_live and substitutes:
        names = " and ".join(f"{endpoint.service} is {endpoint.product}" for endpoint in substitutes)
        raise CheckFailed(
            f"--require-live, and {names}",
            details=[f"{endpoint.service}: {endpoint.origin}" for endpoint in substitutes],
            hint="put the real servers on PATH, or name them: QDRANT_URL, OLLAMA_HOST",
        )
    shared = "the running stack of `ragbed up`" if run.stack.shared else "a stack of this run"
    return f"{shared}: " + ", ".join(_named(endpoint) for endpoint in run.stack.endpoints.values())


def parity(run: Run) -> str:
    """Versions are in range, and exactly the pinned ones where a wheel was started."""
    pins = load_stack_pins()
    drift = []
    exact = 0
    for name, endpoint in run.up.endpoints.items():
        wheel = pins[name].channels.wheel
        if not pins[name].accepts(endpoint.product, endpoint.version):
            drift.append(f"{_named(endpoint)} is outside {pins[name].describe_range()}")
        elif endpoint.launcher == "process" and wheel and wheel.package in endpoint.origin:
            exact += 1
            if parse_version(endpoint.version) != parse_version(wheel.version):
                drift.append(f"{_named(endpoint)} was started, {wheel.package} is pinned at {wheel.version}")
    if drift:
        raise DriftError(drift[0], details=drift[1:], hint="reinstall from the lock, or change stack.toml")
    return f"{len(run.up.endpoints)} versions in range, {exact} exactly as pinned"


def migrate(run: Run) -> str:
    """The schema comes up, and a second migration changes nothing."""
    run.config = pipeline_config(run.up, run.settings, folder=run.folder, namespace=_namespace(run.id))
    run.pipeline = run.cleanup.enter_context(open_pipeline(run.config))
    if run.up.shared and not run.options.keep:
        run.cleanup.callback(run.pipeline.drop)
    revision = run.pipeline.migrate()
    again = run.pipeline.migrate()
    if again != revision:
        raise CheckFailed(f"the schema went to {revision}, and by a second migration to {again}")
    return f"revision {revision}, namespace {run.config.namespace}"


def corpus(run: Run) -> str:
    """There are documents that can be read; what cannot is listed."""
    run.built = build_corpus(run.corpus_folder)
    unreadable = [f"{one.path}: {one.reason}" for one in run.built.unreadable]
    if not run.built.documents:
        raise CheckFailed(
            f"no document in {run.corpus_folder} could be read",
            details=unreadable or [f"{run.built.ignored} files with other suffixes than .md, .mdx, .txt"],
            hint="give --corpus a folder of Markdown or text",
        )
    for line in unreadable:
        run.say(f"unreadable: {line}")
    run.corpus = CorpusFigures(documents=len(run.built.documents), unreadable=len(unreadable))
    return (
        f"{len(run.built.documents)} documents, {len(unreadable)} unreadable, {run.built.ignored} other files"
    )


def embed(run: Run) -> str:
    """Vectors have the model's dimension, and tell texts apart."""
    texts = ["a vector database keeps embeddings", "initdb prepares a Postgres data folder"]
    one, other = run.ready.embed(texts)
    model = run.settings[known.EMBEDDING_MODEL]
    expected = DIMENSIONS.get(model.partition(":")[0], len(one))
    if len(one) != expected or len(other) != expected:
        raise CheckFailed(
            f"{model} gave vectors of {len(one)} and {len(other)} dimensions, expected {expected}",
            hint="another model is behind that tag: ollama show, or ollama pull",
        )
    likeness = sum(a * b for a, b in zip(one, other, strict=True)) / (
        math.hypot(*one) * math.hypot(*other) or 1
    )
    if not likeness < 0.99:
        raise CheckFailed(f"two unlike texts have a cosine of {likeness:.3f}", details=texts)
    return f"{model}: {expected} dimensions, two unlike texts at cosine {likeness:.2f}"


def index(run: Run) -> str:
    """What a process wrote before it ended is all there for this one, and a second ingest changes nothing."""
    report = ingest_elsewhere(_there(run.config, "migrate"), run.corpus_folder, progress=run.say)
    documents, chunks = report["documents"], report["chunks"]
    characters = sum(len(document.body) for document in run.documents.documents)
    run.tokens["embedding"] += characters // _CHARACTERS_PER_TOKEN
    again = run.ready.ingest(run.corpus_folder)
    run.corpus = CorpusFigures(
        documents=documents,
        unreadable=len(report["unreadable"]),
        chunks=chunks,
        unchanged=again.unchanged,
    )
    if documents != len(run.documents.documents) or not chunks:
        raise CheckFailed(
            f"{len(run.documents.documents)} documents were read, {documents} ({chunks} chunks) indexed"
        )
    if again.unchanged != documents or again.embedded:
        raise CheckFailed(
            f"a second ingest of the same bytes found {again.unchanged} of {documents} documents unchanged"
            f" and embedded {again.embedded} chunks"
        )
    _find_samples(run)
    return f"{documents} documents, {chunks} chunks of {report['dimensions']} dimensions, found by another process"


def _find_samples(run: Run) -> None:
    """Ask for documents by their own words: the writer has gone, this process must find what it wrote."""
    documents = run.documents.documents
    for document in documents[:: max(1, len(documents) // _SAMPLES)][:_SAMPLES]:
        found = run.ready.retrieve(f"{document.title} {document.body[:300]}", top_k=5)
        # By its vector, not by its words alone.
        if document.path not in [one.document for one in found if one.dense_score is not None]:
            raise CheckFailed(
                f"{document.path} is not found by its own words",
                details=[f"found: {one.document} ({one.score:.3f})" for one in found],
            )


def retrieve(run: Run) -> str:
    """Filters really filter, and golden questions find their documents."""
    filtered = _check_filter(run)
    questions = run.questions()
    if not questions:
        return f"{filtered}; no golden questions for this corpus"
    judged = []
    known_paths = {document.path for document in run.documents.documents}
    for number, question in enumerate(questions, 1):
        if missing := set(question.relevant) - known_paths:
            raise CheckFailed(f"question {question.id} names {missing.pop()}, which is not in the corpus")
        passages, gap = run.ready.examine(question.question, top_k=10)
        found = tuple(passage.document for passage in passages)
        relevant = frozenset(question.relevant)
        judged.append(
            (question, Judged(relevant=relevant, found=found, gap=_is_gap(gap), kind=question.kind))
        )
        if number % 50 == 0:
            run.say(f"{number} of {len(questions)} questions")
    run.retrieval = measure([one for _, one in judged])
    held_out = [one for question, one in judged if question.held_out]
    run.held_out = measure(held_out) if held_out else None
    if run.retrieval.answerable and run.retrieval.hit_at_5 < LOWEST_HIT_AT_5:
        missed = [f"{q.id}: {q.question}" for q, one in judged if one.relevant.isdisjoint(one.found[:5])]
        raise CheckFailed(
            f"hit@5 is {run.retrieval.hit_at_5:.2f} over {run.retrieval.answerable} questions,"
            f" the least is {LOWEST_HIT_AT_5:.2f}",
            details=missed[:10],
        )
    return f"{filtered}; {_describe(run.retrieval)}"


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
    """An answer cites passages, and every citation names one that was given and stands in its document."""
    question = next(
        (one.question for one in run.questions() if one.relevant), run.documents.documents[0].title
    )
    given = run.ready.ask(question)
    run.count(given)
    if given.refused or not given.citations or not given.grounded:
        what = (
            "refused"
            if given.refused
            else "cites nothing"
            if not given.citations
            else "cites what was not given"
        )
        raise CheckFailed(
            f"the answer to {question!r} {what}",
            details=[f"answer: {given.text[:300]}", *(f"passage: {p.document}" for p in given.passages)],
        )
    bodies = {document.path: document.body for document in run.documents.documents}
    for citation in given.citations:
        passage = next(one for one in given.passages if one.chunk_id == citation.chunk_id)
        if passage.text not in bodies.get(citation.document, ""):
            raise CheckFailed(f"[{citation.number}] cites text that is not in {citation.document}")
    cited = ", ".join(dict.fromkeys(citation.document for citation in given.citations))
    return f"{given.model} cites {cited}"


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
    pages = _there(run.config, "migrate").gaps_dir
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


def _named(endpoint: Endpoint) -> str:
    return f"{endpoint.service} {endpoint.product} {endpoint.version}"


def _namespace(run_id: str) -> str:
    return f"smoke_{run_id.replace('-', '_')}"


def _there(value: T | None, stage: str) -> T:
    if value is None:
        raise CheckFailed(f"the stage {stage} did not leave what later ones need")
    return value
