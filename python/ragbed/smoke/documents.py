"""The stages that bring the documents in: corpus, embed, index."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ragbed.errors import CheckFailed, UsageError
from ragbed.pins import fetch_command
from ragbed.pipeline.corpus import build_corpus, listed
from ragbed.settings import definitions as known
from ragbed.smoke.plan import Seen, named_model
from ragbed.smoke.report import CorpusFigures
from ragbed.tokens import estimate_tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ragbed.data import Question
    from ragbed.pipeline import Document, IngestReport, PipelineConfig
    from ragbed.pipeline.corpus import Corpus
    from ragbed.smoke.ingest_process import IngestProcess
    from ragbed.smoke.plan import SmokePlan
    from ragbed.stack import Stack
    from ragbed.targets import Target

DIMENSIONS = {"all-minilm": 384, "nomic-embed-text": 768}
"""Of the embedding models that the sets name; others are only checked against themselves."""

_SAMPLES = 5


def corpus(plan: SmokePlan, questions: Sequence[Question]) -> Seen[Corpus]:
    """There are documents that can be read, the golden questions' among them; what cannot be read is listed."""
    built = build_corpus(plan.corpus_folder)
    unreadable = [f"{one.path}: {one.reason}" for one in built.unreadable]
    if not built.documents:
        raise CheckFailed(
            f"no document in {plan.corpus_folder} could be read",
            details=[*unreadable, *([f"left out: {listed(built.ignored)}"] if built.ignored else [])],
            hint="give --corpus a folder of Markdown, HTML or text",
        )
    for line in unreadable:
        plan.events.emit("stage.progress", "corpus", line=f"unreadable: {line}")
    _require_known(plan, built, questions)
    left_out = f"left out: {listed(built.ignored)}" if built.ignored else "nothing left out"
    return Seen(
        line=f"{len(built.documents)} documents, {len(unreadable)} unreadable, {left_out}", value=built
    )


def _require_known(plan: SmokePlan, built: Corpus, questions: Sequence[Question]) -> None:
    """Refuse golden questions about what is not a document here: to find it is not asked of any pipeline.

    Raises:
        UsageError: Names the first such question, and why its document is none.
    """
    paths = {document.path for document in built.documents}
    reasons = {one.path: f"cannot be read: {one.reason}" for one in built.unreadable}
    for question in questions:
        if missing := sorted(set(question.relevant) - paths):
            why = reasons.get(missing[0], f"is not in {plan.corpus_folder}")
            raise UsageError(
                f"question {question.id} names {missing[0]}, which {why}",
                hint="relevant holds paths relative to the corpus folder",
            )


def embed(plan: SmokePlan, stack: Stack, target: Target) -> Seen[None]:
    """Vectors have the model's dimension, and tell texts apart."""
    texts = ["a vector database keeps embeddings", "initdb prepares a Postgres data folder"]
    one, other = target.embed(texts)
    model = plan.settings[known.EMBEDDING_MODEL]
    expected = DIMENSIONS.get(model.partition(":")[0], len(one))
    if len(one) != expected or len(other) != expected:
        raise CheckFailed(
            f"{model} gave vectors of {len(one)} and {len(other)} dimensions, expected {expected}",
            hint=f"another model is behind that tag: ragbed models verify, then {fetch_command([model])}",
        )
    likeness = sum(a * b for a, b in zip(one, other, strict=True)) / (
        math.hypot(*one) * math.hypot(*other) or 1
    )
    if not likeness < 0.99:
        raise CheckFailed(f"two unlike texts have a cosine of {likeness:.3f}", details=texts)
    line = f"{named_model(stack, model)}: {expected} dimensions, two unlike texts at cosine {likeness:.2f}"
    return Seen(line=line, value=None)


def index(
    plan: SmokePlan, config: PipelineConfig, target: Target, corpus: Corpus, writer: IngestProcess
) -> Seen[CorpusFigures]:
    """What a process wrote before it ended is all there for this one, and a second ingest changes nothing."""
    report = writer.ingest(config, plan.corpus_folder, events=plan.events)
    again = target.ingest(plan.corpus_folder)
    figures = CorpusFigures(
        documents=report["documents"],
        unreadable=len(report["unreadable"]),
        chunks=report["chunks"],
        unchanged=again.unchanged,
    )
    failure = (
        _incomplete(corpus, figures) or _changed(figures, again) or _missed_sample(target, corpus.documents)
    )
    line = (
        f"{figures.documents} documents, {figures.chunks} chunks of {report['dimensions']} dimensions,"
        " found by another process"
    )
    return Seen(line=line, value=figures, failure=failure)


def embedding_tokens(documents: Sequence[Document]) -> int:
    """Return about how many tokens it takes to embed documents."""
    return sum(estimate_tokens(document.body) for document in documents)


def _incomplete(corpus: Corpus, figures: CorpusFigures) -> CheckFailed | None:
    if figures.documents == len(corpus.documents) and figures.chunks:
        return None
    return CheckFailed(
        f"{len(corpus.documents)} documents were read, {figures.documents} ({figures.chunks} chunks) indexed"
    )


def _changed(figures: CorpusFigures, again: IngestReport) -> CheckFailed | None:
    if again.unchanged == figures.documents and not again.embedded:
        return None
    return CheckFailed(
        f"a second ingest of the same bytes found {again.unchanged} of {figures.documents} documents unchanged"
        f" and embedded {again.embedded} chunks"
    )


def _missed_sample(target: Target, documents: Sequence[Document]) -> CheckFailed | None:
    """Ask for documents by their own words: the writer has gone, this process must find what it wrote."""
    for document in documents[:: max(1, len(documents) // _SAMPLES)][:_SAMPLES]:
        passages = target.retrieve(f"{document.title} {document.body[:300]}", top_k=5).passages
        # By its vector, not by its words alone.
        if document.path not in [one.document for one in passages if one.dense_score is not None]:
            return CheckFailed(
                f"{document.path} is not found by its own words",
                details=[f"found: {one.document} ({one.score:.3f})" for one in passages],
            )
    return None
