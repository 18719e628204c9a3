"""The reading half of the pipeline: questions, the passages for them, their answers and gaps."""

from __future__ import annotations

import hashlib
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ragbed.errors import IndexFailed, UsageError
from ragbed.pipeline.connected import Connected
from ragbed.pipeline.records import Answer, Gap

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ragbed.pipeline.embedding import CachedEmbedding
    from ragbed.pipeline.gaps import DetectedGap
    from ragbed.pipeline.ports import IndexState, IndexView
    from ragbed.pipeline.records import ScoredChunk

_WIDEST = 10
"""Passages that gap detection looks at, at least: what is covered may stand just below the first five."""


class PipelineReader(Connected):
    """Answers questions from what was ingested; it writes nothing but gaps."""

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

    def ask(
        self,
        question: str,
        *,
        filters: Mapping[str, str | Sequence[str]] | None = None,
        on_text: Callable[[str], None] | None = None,
    ) -> Answer:
        """Answer a question from the documents, and save what they lack for it.

        Args:
            question: In words.
            filters: As for `retrieve`.
            on_text: Called with each piece of the answer's text as the model writes it; None waits for the whole.

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
        reply = self._backends.chat.chat(SYSTEM_PROMPT, prompt(question, passages), on_text=on_text)
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
            gap=self._backends.gap_store.save(gap) if gap else None,
            model=reply.model,
            prompt_tokens=reply.prompt_tokens,
            answer_tokens=reply.answer_tokens,
            cached_embeddings=embedding.counts.cached,
            seconds=time.monotonic() - started,
        )

    def gaps(self) -> list[Gap]:
        """Return every saved gap, the newest first."""
        return self._backends.gap_store.all()

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
        state = self._index_state(view or self._backends.ledger.view())
        while True:
            try:
                return retrieve(
                    question,
                    embedding=embedding,
                    index=self._backends.index,
                    collection=state.collection,
                    top_k=top_k,
                    max_per_document=self.config.limits.max_per_document,
                    filters=checked,
                )
            except IndexFailed:
                # An ingest may have replaced the collection between the two looks.
                before, state = state, self._index_state(self._backends.ledger.view())
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

        view = self._backends.ledger.view(content_terms(question))
        passages = self._retrieve(embedding, question, max(top_k, _WIDEST), filters, view)
        now = datetime.now(UTC)
        finding = find_gap(
            question,
            passages,
            view.vocabulary,
            today=now.date(),
            rules=GapRules(stale_months=self.config.limits.stale_months),
        )
        return passages[:top_k], _gap(question, finding, now) if finding else None

    def _index_state(self, view: IndexView) -> IndexState:
        """Return which collection to ask; refuse vectors of another model: their cosines mean nothing."""
        state = view.state
        if state is None:
            raise self._nothing_there()
        digest = self._backends.embedder.digest()
        if state.model_digest != digest:
            raise IndexFailed(
                f"the index was built by another {self.config.models.embedding}",
                details=[f"index: {state.model_digest}", f"now: {digest}"],
                hint="ingest the folder again, which builds the index anew",
            )
        return state

    def _nothing_there(self) -> IndexFailed:
        message = f"namespace {self.config.namespace} holds no documents"
        if older := self._backends.ledger.older_schema():
            return IndexFailed(
                f"{message} of this project; {older} is an older ragbed's, which named no project",
                hint="make it this project's by `ragbed adopt` with the addresses of its Postgres and Qdrant,"
                " as `ragbed env` prints them; or ragbed ingest FOLDER",
            )
        return IndexFailed(message, hint="ragbed ingest FOLDER")

    def _require_index(self, state: IndexState) -> None:
        """Refuse a Qdrant that does not hold the collection which the ledger describes."""
        if self._backends.index.count(state.collection) is None:
            raise IndexFailed(
                f"the index of namespace {self.config.namespace} is not in this Qdrant: the ledger in Postgres"
                f" describes {state.collection}",
                hint="ragbed ingest FOLDER builds it anew; or name the Qdrant that holds it by QDRANT_URL",
            )


def _gap(question: str, finding: DetectedGap, now: datetime) -> Gap:
    """Return a finding as a gap; the same question and kind always has the same id."""
    from ragbed.pipeline.searches import search_queries  # noqa: PLC0415 - ingest needs none of it

    clean = " ".join(question.split())
    name = hashlib.sha256(f"{finding.kind}\0{clean.lower()}".encode()).hexdigest()[:12]
    return Gap(
        id=f"gap-{name}",
        question=clean,
        kind=finding.kind,
        subject=finding.subject,
        reasons=finding.reasons,
        queries=search_queries(clean, finding.subject),
        evidence=finding.evidence,
        created_at=now,
    )


def _chosen(top_k: int | None, configured: int) -> int:
    if top_k is not None and top_k < 1:
        raise UsageError(f"top_k is {top_k}, the lowest is 1")
    return top_k or configured


def _storable(question: str) -> str:
    """Return a question without what no service takes: NUL and half surrogates."""
    return question.replace("\0", " ").encode("utf-8", "replace").decode()
