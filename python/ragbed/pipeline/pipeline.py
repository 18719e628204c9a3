"""The pipeline as callers see it: one object on four services, connected when they are needed."""

from __future__ import annotations

import hashlib
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from ragbed.errors import IndexFailed, ServiceMissing, UsageError
from ragbed.pipeline.adapters.ollama import OllamaChat, OllamaConnection, OllamaEmbedder
from ragbed.pipeline.adapters.postgres import Database, PostgresLedger
from ragbed.pipeline.adapters.qdrant import QdrantIndex
from ragbed.pipeline.adapters.redis import RedisEmbeddingCache
from ragbed.pipeline.embedding import CachedEmbedding
from ragbed.pipeline.ports import CacheUnavailable
from ragbed.pipeline.records import Answer, Gap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from ragbed.llm.client import Loading
    from ragbed.pipeline.adapters.gaps import PostgresGapStore
    from ragbed.pipeline.config import PipelineConfig
    from ragbed.pipeline.gaps import Finding
    from ragbed.pipeline.ports import IndexState, IndexView
    from ragbed.pipeline.records import IngestProgress, IngestReport, ScoredChunk, Vector
    from ragbed.pipeline.sources import OtherFolder

_WIDEST = 10
"""Passages that gap detection looks at, at least: what is covered may stand just below the first five."""


class Pipeline:
    """The reference pipeline; open it by `open_pipeline`.

    Args:
        config: Addresses, names and numbers.
        loading: Told how the load of a model goes, on a thread of its own; None stays silent.
    """

    def __init__(self, config: PipelineConfig, *, loading: Callable[[Loading], None] | None = None) -> None:
        self.config = config
        self._database = Database(config)
        self._ledger = PostgresLedger(self._database, config)
        self._index = QdrantIndex(config)
        self._cache = RedisEmbeddingCache(config)
        self._ollama = OllamaConnection(config, loading)
        self._embedder = OllamaEmbedder(config, self._ollama)
        self._chat = OllamaChat(config, self._ollama)

    def migrate(self) -> str:
        """Bring the namespace's schema to the newest revision and return it.

        Raises:
            ServiceMissing: Postgres does not answer.
            PipelineError: A revision failed.
        """
        return self._ledger.migrate()

    def ingest(
        self,
        folder: Path,
        *,
        allow_empty: bool = False,
        other_folder: OtherFolder = "refuse",
        progress: Callable[[IngestProgress], None] | None = None,
    ) -> IngestReport:
        """Make the index hold what a folder holds: documents that are gone from it are removed.

        Args:
            folder: Corpus folder; Markdown, MDX, HTML and text below it are documents.
            allow_empty: Let a folder without any readable document empty the index.
            other_folder: What to do where the namespace holds the documents of another folder: `refuse`,
                `replace` those, or `add` these to them.
            progress: Called as the run goes on.

        Raises:
            UsageError: The folder does not exist, it holds no document, or it is another one than before.
            PipelineError: A store or the model refused.
            ServiceMissing: A service does not answer.
        """
        from ragbed.pipeline.ingest import Ingest  # noqa: PLC0415 - readers need none of it

        run = Ingest(
            self.config,
            ledger=self._ledger,
            index=self._index,
            embedder=self._embedder,
            embedding=self._embedding(),
            progress=progress or _say_nothing,
        )
        return run.run(folder, allow_empty=allow_empty, other_folder=other_folder)

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Return the unit vector of each text as a document, cached like those of an ingest.

        Raises:
            EmbeddingFailed: The model refused.
            ServiceMissing: Ollama does not answer.
        """
        names = [f"text {number}" for number in range(1, len(texts) + 1)]
        return self._embedding().documents(texts, names=names) if texts else []

    def retrieve(
        self,
        question: str,
        *,
        top_k: int | None = None,
        filters: Mapping[str, str | Sequence[str]] | None = None,
    ) -> list[ScoredChunk]:
        """Return the best chunks for a question, best first.

        Args:
            question: In words.
            top_k: How many at most; None takes the configured number.
            filters: A value or several allowed values by `document`, `lesson_type`, `platform` or `tags`.

        Raises:
            UsageError: The question is empty, or a filter names another field.
            IndexFailed: Nothing was ingested, or by another model.
            ServiceMissing: A service does not answer.
        """
        return self._retrieve(
            self._embedding(), _storable(question), _chosen(top_k, self.config.limits.top_k), filters
        )

    def examine(
        self,
        question: str,
        *,
        top_k: int | None = None,
        filters: Mapping[str, str | Sequence[str]] | None = None,
    ) -> tuple[list[ScoredChunk], Gap | None]:
        """Return what `retrieve` returns, and what the corpus lacks for the question; nothing is saved.

        Args:
            question: In words.
            top_k: How many chunks at most; None takes the configured number.
            filters: As for `retrieve`.
        """
        return self._examine(
            self._embedding(), _storable(question), _chosen(top_k, self.config.limits.top_k), filters
        )

    def ask(self, question: str, *, filters: Mapping[str, str | Sequence[str]] | None = None) -> Answer:
        """Answer a question from the documents, and save what they lack for it.

        Args:
            question: In words.
            filters: As for `retrieve`.

        Raises:
            AnswerFailed: The chat model refused.
            UsageError, IndexFailed, ServiceMissing: As for `retrieve`.
        """
        from ragbed.pipeline.answering import SYSTEM_PROMPT, check, prompt  # noqa: PLC0415 - ingest needs none of it
        from ragbed.pipeline.gaps import unanswered  # noqa: PLC0415 - as above

        started = time.monotonic()
        question = _storable(question)
        embedding = self._embedding()
        passages, gap = self._examine(embedding, question, self.config.limits.top_k, filters)
        reply = self._chat.chat(SYSTEM_PROMPT, prompt(question, passages))
        checked = check(reply.text, passages)
        if not checked.answered and (gap is None or gap.kind == "stale"):
            gap = _gap(question, unanswered(question, passages), datetime.now(UTC))
        return Answer(
            question=question,
            text=reply.text,
            citations=checked.citations,
            passages=tuple(passages),
            answered=checked.answered,
            grounded=checked.grounded,
            refused=checked.refused,
            flagged=checked.flagged,
            gap=self._gap_store.save(gap) if gap else None,
            model=reply.model,
            prompt_tokens=reply.prompt_tokens,
            answer_tokens=reply.answer_tokens,
            cached_embeddings=embedding.counts.cached,
            seconds=time.monotonic() - started,
        )

    def gaps(self) -> list[Gap]:
        """Return every saved gap, the newest first."""
        return self._gap_store.all()

    def drop(self, *, keep_pages: bool = False) -> None:
        """Remove the namespace from every store; doing it twice is harmless.

        Args:
            keep_pages: Leave the records and review pages of its gaps in their folder.

        Raises:
            PipelineError: A store refused.
            ServiceMissing: A service does not answer.
        """
        if not keep_pages:
            self._gap_store.remove_files()
        self._index.drop()
        self._ledger.drop()
        try:
            self._cache.clear()
        except CacheUnavailable as error:
            raise ServiceMissing(
                f"Redis does not answer while dropping namespace {self.config.namespace}: {error}",
                hint="what is left there expires by itself",
            ) from error

    def close(self) -> None:
        """Close every connection; doing it twice is harmless."""
        self._index.close()
        self._cache.close()
        self._ollama.close()
        self._database.close()

    @cached_property
    def _gap_store(self) -> PostgresGapStore:
        from ragbed.pipeline.adapters.gaps import PostgresGapStore  # noqa: PLC0415 - ingest needs none of it

        return PostgresGapStore(self._database, self.config.stores.gaps_dir)

    def _embedding(self) -> CachedEmbedding:
        """Return embeddings that count from 0."""
        return CachedEmbedding(self._embedder, self._cache, model=self.config.models.embedding)

    def _retrieve(
        self,
        embedding: CachedEmbedding,
        question: str,
        top_k: int,
        filters: Mapping[str, str | Sequence[str]] | None,
        view: IndexView | None = None,
    ) -> list[ScoredChunk]:
        from ragbed.pipeline.retrieval import checked_filters, retrieve  # noqa: PLC0415 - ingest needs none of it

        checked = checked_filters(filters)
        state = self._index_state(view or self._ledger.view())
        while True:
            try:
                return retrieve(
                    question,
                    embedding=embedding,
                    index=self._index,
                    collection=state.collection,
                    top_k=top_k,
                    max_per_document=self.config.limits.max_per_document,
                    filters=checked,
                )
            except IndexFailed:
                # An ingest may have replaced the collection between the two looks.
                before, state = state, self._index_state(self._ledger.view())
                if state.collection == before.collection:
                    self._require_index(state)
                    raise

    def _examine(
        self,
        embedding: CachedEmbedding,
        question: str,
        top_k: int,
        filters: Mapping[str, str | Sequence[str]] | None,
    ) -> tuple[list[ScoredChunk], Gap | None]:
        from ragbed.pipeline.gaps import GapRules, content_terms, find_gap  # noqa: PLC0415 - ingest needs none of it

        view = self._ledger.view(content_terms(question))
        passages = self._retrieve(embedding, question, max(top_k, _WIDEST), filters, view)
        now = datetime.now(UTC)
        found = find_gap(
            question,
            passages,
            view.vocabulary,
            today=now.date(),
            rules=GapRules(stale_months=self.config.limits.stale_months),
        )
        return passages[:top_k], _gap(question, found, now) if found else None

    def _index_state(self, view: IndexView) -> IndexState:
        """Return which collection to ask; refuse vectors of another model: their cosines mean nothing."""
        state = view.state
        if state is None:
            raise self._nothing_there()
        digest = self._embedder.digest()
        if state.model_digest != digest:
            raise IndexFailed(
                f"the index was built by another {self.config.models.embedding}",
                details=[f"index: {state.model_digest}", f"now: {digest}"],
                hint="ingest the folder again, which builds the index anew",
            )
        return state

    def _nothing_there(self) -> IndexFailed:
        message = f"namespace {self.config.namespace} holds no documents"
        if older := self._database.older_schema():
            return IndexFailed(
                f"{message} of this project; {older} is an older ragbed's, which named no project",
                hint="make it this project's by `ragbed adopt` with the addresses of its Postgres and Qdrant,"
                " as `ragbed env` prints them; or ragbed ingest FOLDER",
            )
        return IndexFailed(message, hint="ragbed ingest FOLDER")

    def _require_index(self, state: IndexState) -> None:
        """Refuse a Qdrant that does not hold the collection which the ledger describes."""
        if self._index.count(state.collection) is None:
            raise IndexFailed(
                f"the index of namespace {self.config.namespace} is not in this Qdrant: the ledger in Postgres"
                f" describes {state.collection}",
                hint="ragbed ingest FOLDER builds it anew; or name the Qdrant that holds it by QDRANT_URL",
            )


@contextmanager
def open_pipeline(
    config: PipelineConfig, *, loading: Callable[[Loading], None] | None = None
) -> Iterator[Pipeline]:
    """Yield a pipeline that connects when it needs to; close everything on every way out.

    Args:
        config: Addresses, names and numbers.
        loading: Told how the load of a model goes, on a thread of its own; None stays silent.
    """
    pipeline = Pipeline(config, loading=loading)
    try:
        yield pipeline
    finally:
        pipeline.close()


def _gap(question: str, found: Finding, now: datetime) -> Gap:
    """Return a finding as a gap; the same question and kind always has the same id."""
    from ragbed.pipeline.searches import search_queries  # noqa: PLC0415 - ingest needs none of it

    clean = " ".join(question.split())
    name = hashlib.sha256(f"{found.kind}\0{clean.lower()}".encode()).hexdigest()[:12]
    return Gap(
        id=f"gap-{name}",
        question=clean,
        kind=found.kind,
        subject=found.subject,
        reasons=found.reasons,
        queries=search_queries(clean, found.subject),
        evidence=found.evidence,
        created_at=now,
    )


def _chosen(top_k: int | None, configured: int) -> int:
    if top_k is not None and top_k < 1:
        raise UsageError(f"top_k is {top_k}, the lowest is 1")
    return top_k or configured


def _storable(question: str) -> str:
    """Return a question without what no service takes: NUL and half surrogates."""
    return question.replace("\0", " ").encode("utf-8", "replace").decode()


def _say_nothing(progress: IngestProgress) -> None:
    del progress
