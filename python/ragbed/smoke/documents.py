"""The stages that bring the documents in: corpus, embed, index."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ragbed.errors import CheckFailed, UsageError
from ragbed.pins import fetch_command
from ragbed.pipeline.corpus import build_corpus, listed
from ragbed.settings import definitions as known
from ragbed.smoke.report import CorpusFigures
from ragbed.smoke.writer import ingest_elsewhere
from ragbed.tokens import estimate_tokens

if TYPE_CHECKING:
    from ragbed.smoke.run import Run

DIMENSIONS = {"all-minilm": 384, "nomic-embed-text": 768}
"""Of the embedding models that the sets name; others are only checked against themselves."""

_SAMPLES = 5


def corpus(run: Run) -> str:
    """There are documents that can be read, the golden questions' among them; what cannot be read is listed."""
    run.built = build_corpus(run.corpus_folder)
    unreadable = [f"{one.path}: {one.reason}" for one in run.built.unreadable]
    if not run.built.documents:
        raise CheckFailed(
            f"no document in {run.corpus_folder} could be read",
            details=[*unreadable, *([f"left out: {listed(run.built.ignored)}"] if run.built.ignored else [])],
            hint="give --corpus a folder of Markdown, HTML or text",
        )
    for line in unreadable:
        run.say(f"unreadable: {line}")
    run.corpus = CorpusFigures(documents=len(run.built.documents), unreadable=len(unreadable))
    _require_known(run)
    left_out = f"left out: {listed(run.built.ignored)}" if run.built.ignored else "nothing left out"
    return f"{len(run.built.documents)} documents, {len(unreadable)} unreadable, {left_out}"


def _require_known(run: Run) -> None:
    """Refuse golden questions about what is no document here: to find it is not asked of any pipeline.

    Raises:
        UsageError: Names the first such question, and why its document is none.
    """
    paths = {document.path for document in run.documents.documents}
    reasons = {one.path: f"cannot be read: {one.reason}" for one in run.documents.unreadable}
    for question in run.questions():
        if missing := sorted(set(question.relevant) - paths):
            why = reasons.get(missing[0], f"is not in {run.corpus_folder}")
            raise UsageError(
                f"question {question.id} names {missing[0]}, which {why}",
                hint="relevant holds paths relative to the corpus folder",
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
            hint=f"another model is behind that tag: ragbed models verify, then {fetch_command([model])}",
        )
    likeness = sum(a * b for a, b in zip(one, other, strict=True)) / (
        math.hypot(*one) * math.hypot(*other) or 1
    )
    if not likeness < 0.99:
        raise CheckFailed(f"two unlike texts have a cosine of {likeness:.3f}", details=texts)
    return f"{run.named_model(model)}: {expected} dimensions, two unlike texts at cosine {likeness:.2f}"


def index(run: Run) -> str:
    """What a process wrote before it ended is all there for this one, and a second ingest changes nothing."""
    report = ingest_elsewhere(run.configured, run.corpus_folder, progress=run.say)
    documents, chunks = report["documents"], report["chunks"]
    run.tokens["embedding"] += sum(estimate_tokens(document.body) for document in run.documents.documents)
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
