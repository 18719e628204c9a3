"""What a pipeline needs to know: where its services are, and the numbers it works with."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragbed.errors import ConfigurationError
from ragbed.guard.stores import note_of

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_NAMESPACE = "default"
"""The namespace of a caller who names none; in the stores it carries the project's id."""

_NAMESPACE = re.compile(r"[a-z0-9_]{1,40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreConfig:
    """Where a pipeline keeps what it makes.

    Attributes:
        database_url: Postgres; holds the ledger and the gaps.
        redis_url: Redis or Valkey; caches embeddings.
        qdrant_url: Qdrant's REST address; holds the index.
        gaps_dir: Folder for the JSON record and the review page of each gap.
        qdrant_api_key: Key of that Qdrant; None sends none.
        cache_ttl_s: How long embeddings stay cached, at least 1.

    Raises:
        ConfigurationError: A value is outside its range.
    """

    database_url: str
    redis_url: str
    qdrant_url: str
    gaps_dir: Path
    qdrant_api_key: str | None = None
    cache_ttl_s: int = 3600

    def __post_init__(self) -> None:
        _require_at_least("stores", {"cache_ttl_s": (self.cache_ttl_s, 1)})


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """Which models embed and answer, and how they are asked.

    Attributes:
        url: Ollama's address.
        embedding: Model that embeds chunks and questions.
        chat: Model that answers.
        keep_alive: How long Ollama keeps a model after a request, as `10m`; empty leaves it to Ollama.
        num_thread: Threads that a model computes with; 0 leaves it to Ollama.
        answer_tokens: Longest answer, in tokens.
        seed: Seed of the chat model.

    Raises:
        ConfigurationError: A value is outside its range.
    """

    url: str
    embedding: str = "all-minilm"
    chat: str = "qwen2.5:0.5b"
    keep_alive: str = ""
    num_thread: int = 0
    answer_tokens: int = 300
    seed: int = 0

    def __post_init__(self) -> None:
        values = {"num_thread": (self.num_thread, 0), "answer_tokens": (self.answer_tokens, 1)}
        _require_at_least("models", values)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkingConfig:
    """How documents become chunks.

    Attributes:
        tokens: Budget of a chunk, in estimated tokens, at least 20.
        overlap: Tokens repeated from the end of the chunk before; 0 repeats nothing.
        batch_size: Chunks that are embedded and written together, at least 1.
        max_document_bytes: Larger files are reported, not read.

    Raises:
        ConfigurationError: A value is outside its range.
    """

    tokens: int = 200
    overlap: int = 0
    batch_size: int = 50
    max_document_bytes: int = 5_000_000

    def __post_init__(self) -> None:
        values = {
            "tokens": (self.tokens, 20),
            "overlap": (self.overlap, 0),
            "batch_size": (self.batch_size, 1),
            "max_document_bytes": (self.max_document_bytes, 1),
        }
        _require_at_least("chunking", values)
        if self.overlap * 2 > self.tokens:
            raise ConfigurationError(
                f"chunking.overlap is {self.overlap}, more than half of chunking.tokens ({self.tokens})"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitConfig:
    """How many passages a question gets, and how long things may take.

    Attributes:
        top_k: Passages that a question gets, at least 1.
        max_per_document: Passages that one document may give to a question, at least 1.
        stale_months: Evidence older than this counts as stale.
        connect_timeout_s: How long a connection may take to open.
        load_timeout_s: How long loading a model may take; it is asked for by itself.
        embed_timeout_s: How long one embedding request may take.
        first_token_timeout_s: How long an answer may take to begin, and be silent.
        answer_timeout_s: How long an answer may take in all.
        lock_timeout_s: How long an ingest waits for another one of the same namespace.

    Raises:
        ConfigurationError: A value is outside its range.
    """

    top_k: int = 5
    max_per_document: int = 2
    stale_months: int = 24
    connect_timeout_s: float = 5.0
    load_timeout_s: float = 900.0
    embed_timeout_s: float = 120.0
    first_token_timeout_s: float = 300.0
    answer_timeout_s: float = 600.0
    lock_timeout_s: float = 600.0

    def __post_init__(self) -> None:
        values = {name: (value, 0.001 if name.endswith("_s") else 1) for name, value in asdict(self).items()}
        _require_at_least("limits", values)


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineConfig:
    """One pipeline: whose it is, its stores, its models, and the numbers it works with.

    Attributes:
        stores: Where it keeps what it makes.
        models: Which models embed and answer.
        chunking: How documents become chunks.
        limits: How many passages a question gets, and how long things may take.
        namespace: Keeps pipelines apart in every store; 1 to 40 of a-z, 0-9 and _. `default` is each project's own.
        project_id: Whose pipeline it is: the namespace is taken for it, and other projects' are refused; empty for
            one that belongs to no project.
        project_name: That project's name, for people.

    Raises:
        ConfigurationError: The namespace is not one.
    """

    stores: StoreConfig
    models: ModelConfig
    chunking: ChunkingConfig = field(default_factory=ChunkingConfig)
    limits: LimitConfig = field(default_factory=LimitConfig)
    namespace: str = DEFAULT_NAMESPACE
    project_id: str = ""
    project_name: str = ""

    def __post_init__(self) -> None:
        if not _NAMESPACE.fullmatch(self.namespace):
            raise ConfigurationError(
                f"namespace {self.namespace!r} is not 1 to 40 of a-z, 0-9 and _",
                hint="it becomes part of a Postgres schema, a collection and Redis keys",
            )

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values, passwords included: for another process of ours."""
        return {**asdict(self), "stores": {**asdict(self.stores), "gaps_dir": str(self.stores.gaps_dir)}}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> PipelineConfig:
        """Return the configuration that `to_json` described."""
        stores = {**values["stores"], "gaps_dir": Path(values["stores"]["gaps_dir"])}
        records = {
            "stores": StoreConfig(**stores),
            "models": ModelConfig(**values["models"]),
            "chunking": ChunkingConfig(**values["chunking"]),
            "limits": LimitConfig(**values["limits"]),
        }
        return cls(**{**values, **records})

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


def _require_at_least(record: str, values: Mapping[str, tuple[float, float]]) -> None:
    """Refuse numbers below their lowest; by name, the number and the lowest."""
    for name, (value, lowest) in values.items():
        if value < lowest:
            raise ConfigurationError(f"{record}.{name} is {value}, the lowest is {lowest}")
