"""What a pipeline needs to know: where its services are, and the numbers it works with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragbed.errors import ConfigurationError
from ragbed.guard.stores import note_of

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT_NAMESPACE = "default"
"""The namespace of a caller who names none; in the stores it carries the project's id."""

_NAMESPACE = re.compile(r"[a-z0-9_]{1,40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineConfig:
    """Addresses, names and numbers of one pipeline.

    Attributes:
        database_url: Postgres; holds the ledger and the gaps.
        redis_url: Redis or Valkey; caches embeddings.
        qdrant_url: Qdrant's REST address; holds the index.
        ollama_url: Ollama's address; embeds and answers.
        gaps_dir: Folder for the JSON record and the review page of each gap.
        qdrant_api_key: Key of that Qdrant; None sends none.
        namespace: Keeps pipelines apart in every store; 1 to 40 of a-z, 0-9 and _. `default` is each project's own.
        project_id: Whose pipeline it is: the namespace is taken for it, and other projects' are refused; empty for
            one that belongs to no project.
        project_name: That project's name, for people.
        embedding_model: Model that embeds chunks and questions.
        chat_model: Model that answers.
        top_k: Passages that a question gets, at least 1.
        max_per_document: Passages that one document may give to a question, at least 1.
        batch_size: Chunks that are embedded and written together, at least 1.
        chunk_tokens: Budget of a chunk, in estimated tokens, at least 20.
        chunk_overlap: Tokens repeated from the end of the chunk before; 0 repeats nothing.
        max_document_bytes: Larger files are reported, not read.
        cache_ttl_s: How long embeddings stay cached, at least 1.
        connect_timeout_s: How long a connection may take to open.
        load_timeout_s: How long loading a model may take; it is asked for by itself.
        embed_timeout_s: How long one embedding request may take.
        first_token_timeout_s: How long an answer may take to begin, and be silent.
        answer_timeout_s: How long an answer may take in all.
        keep_alive: How long Ollama keeps a model after a request, as `10m`; empty leaves it to Ollama.
        num_thread: Threads that a model computes with; 0 leaves it to Ollama.
        lock_timeout_s: How long an ingest waits for another one of the same namespace.
        answer_tokens: Longest answer, in tokens.
        seed: Seed of the chat model.
        stale_months: Evidence older than this counts as stale.

    Raises:
        ConfigurationError: A value is outside its range.
    """

    database_url: str
    redis_url: str
    qdrant_url: str
    ollama_url: str
    gaps_dir: Path
    qdrant_api_key: str | None = None
    namespace: str = DEFAULT_NAMESPACE
    project_id: str = ""
    project_name: str = ""
    embedding_model: str = "all-minilm"
    chat_model: str = "qwen2.5:0.5b"
    top_k: int = 5
    max_per_document: int = 2
    batch_size: int = 50
    chunk_tokens: int = 200
    chunk_overlap: int = 0
    max_document_bytes: int = 5_000_000
    cache_ttl_s: int = 3600
    connect_timeout_s: float = 5.0
    load_timeout_s: float = 900.0
    embed_timeout_s: float = 120.0
    first_token_timeout_s: float = 300.0
    answer_timeout_s: float = 600.0
    keep_alive: str = ""
    num_thread: int = 0
    lock_timeout_s: float = 600.0
    answer_tokens: int = 300
    seed: int = 0
    stale_months: int = 24

    def __post_init__(self) -> None:
        if not _NAMESPACE.fullmatch(self.namespace):
            raise ConfigurationError(
                f"namespace {self.namespace!r} is not 1 to 40 of a-z, 0-9 and _",
                hint="it becomes part of a Postgres schema, a collection and Redis keys",
            )
        for name, lowest in _LOWEST.items():
            value = getattr(self, name)
            if value < lowest:
                raise ConfigurationError(f"{name} is {value}, the lowest is {lowest}")
        if self.chunk_overlap * 2 > self.chunk_tokens:
            raise ConfigurationError(
                f"chunk_overlap is {self.chunk_overlap}, more than half of chunk_tokens ({self.chunk_tokens})"
            )

    @property
    def schema(self) -> str:
        """The Postgres schema of this namespace."""
        own = self.project_id and self.namespace == DEFAULT_NAMESPACE
        return f"ragbed_{self.namespace}_{self.project_id}" if own else f"ragbed_{self.namespace}"

    @property
    def note(self) -> str:
        """What the stores keep beside the data: whose it is; empty where it belongs to no project."""
        return note_of(self.project_id, self.project_name) if self.project_id else ""

    @property
    def alias(self) -> str:
        """The alias that names the live collection of this namespace."""
        return self.schema

    @property
    def key_prefix(self) -> str:
        """What every Redis key of this namespace begins with; no two projects read each other's."""
        return (
            f"ragbed:{self.project_id}:{self.namespace}:" if self.project_id else f"ragbed:{self.namespace}:"
        )


_LOWEST: dict[str, float] = {
    "top_k": 1,
    "max_per_document": 1,
    "batch_size": 1,
    "chunk_tokens": 20,
    "chunk_overlap": 0,
    "max_document_bytes": 1,
    "cache_ttl_s": 1,
    "connect_timeout_s": 0.001,
    "load_timeout_s": 0.001,
    "embed_timeout_s": 0.001,
    "first_token_timeout_s": 0.001,
    "answer_timeout_s": 0.001,
    "num_thread": 0,
    "lock_timeout_s": 0.001,
    "answer_tokens": 1,
    "stale_months": 1,
}
