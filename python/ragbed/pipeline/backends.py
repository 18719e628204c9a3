"""What a pipeline works on: an implementation of each port, chosen by the scheme of its address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from ragbed.errors import ConfigurationError
from ragbed.events import SILENT
from ragbed.pipeline.adapters.gaps import PostgresGapStore
from ragbed.pipeline.adapters.ollama import OllamaChat, OllamaConnection, OllamaEmbedder
from ragbed.pipeline.adapters.postgres import Database, PostgresLedger
from ragbed.pipeline.adapters.qdrant import QdrantIndex
from ragbed.pipeline.adapters.redis import RedisEmbeddingCache

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ragbed.events import EventSink
    from ragbed.pipeline.config import PipelineConfig
    from ragbed.pipeline.ports import ChatModel, Embedder, EmbeddingCache, GapStore, Ledger, VectorIndex

Factory = TypeVar("Factory")


@dataclass(frozen=True, slots=True, kw_only=True)
class Backends:
    """One implementation of each port; each connects when it is first used.

    Attributes:
        ledger: What is in the index.
        gap_store: What the documents do not cover.
        index: Vectors and their payloads.
        cache: Embeddings that were made before.
        embedder: Makes them.
        chat: Answers.
        closers: Called to close connections; calling them twice is harmless.
    """

    ledger: Ledger
    gap_store: GapStore
    index: VectorIndex
    cache: EmbeddingCache
    embedder: Embedder
    chat: ChatModel
    closers: tuple[Callable[[], None], ...] = ()

    def close(self) -> None:
        """Close every connection; doing it twice is harmless."""
        for close in self.closers:
            close()


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendKinds:
    """How each backend is opened, by the scheme of its address; a table of one's own adds a scheme.

    Attributes:
        ledgers: Return ledger, gap store and what closes them.
        indexes: Return an index and what closes it.
        caches: Return a cache and what closes it.
        models: Return embedder, chat model and what closes them; they are told how the load of a model goes.
    """

    ledgers: Mapping[str, Callable[[PipelineConfig], tuple[Ledger, GapStore, Callable[[], None]]]]
    indexes: Mapping[str, Callable[[PipelineConfig], tuple[VectorIndex, Callable[[], None]]]]
    caches: Mapping[str, Callable[[PipelineConfig], tuple[EmbeddingCache, Callable[[], None]]]]
    models: Mapping[
        str, Callable[[PipelineConfig, EventSink], tuple[Embedder, ChatModel, Callable[[], None]]]
    ]


def open_backends(
    config: PipelineConfig,
    *,
    events: EventSink = SILENT,
    kinds: BackendKinds | None = None,
) -> Backends:
    """Return the backends of a configuration; nothing is connected yet.

    Args:
        config: Its addresses choose them.
        events: Told how the load of a model goes, on a thread of its own.
        kinds: How each is opened; None takes Postgres, Qdrant, Redis and Ollama.

    Raises:
        ConfigurationError: An address has a scheme that has no backend.
    """
    known, stores = kinds or KINDS, config.stores
    ledger, gap_store, close_ledger = _chosen(known.ledgers, stores.database_url, "ledger")(config)
    index, close_index = _chosen(known.indexes, stores.qdrant_url, "index")(config)
    cache, close_cache = _chosen(known.caches, stores.redis_url, "cache")(config)
    embedder, chat, close_models = _chosen(known.models, config.models.url, "models")(config, events)
    return Backends(
        ledger=ledger,
        gap_store=gap_store,
        index=index,
        cache=cache,
        embedder=embedder,
        chat=chat,
        closers=(close_index, close_cache, close_models, close_ledger),
    )


def _chosen(by_scheme: Mapping[str, Factory], url: str, what: str) -> Factory:
    """Return the factory for an address; the message has its scheme alone, since the rest may hold a password."""
    scheme = url.partition("://")[0].lower() if "://" in url else ""
    if scheme not in by_scheme:
        raise ConfigurationError(
            f"the address of the {what} begins with {f'{scheme}://' if scheme else 'no scheme'}, which has no backend",
            hint=f"it begins with one of {', '.join(f'{name}://' for name in by_scheme)}",
        )
    return by_scheme[scheme]


def _postgres(config: PipelineConfig) -> tuple[Ledger, GapStore, Callable[[], None]]:
    database = Database(config)
    return (
        PostgresLedger(database, config),
        PostgresGapStore(database, config.stores.gaps_dir),
        database.close,
    )


def _qdrant(config: PipelineConfig) -> tuple[VectorIndex, Callable[[], None]]:
    index = QdrantIndex(config)
    return index, index.close


def _redis(config: PipelineConfig) -> tuple[EmbeddingCache, Callable[[], None]]:
    cache = RedisEmbeddingCache(config)
    return cache, cache.close


def _ollama(config: PipelineConfig, events: EventSink) -> tuple[Embedder, ChatModel, Callable[[], None]]:
    connection = OllamaConnection(config, events)
    return OllamaEmbedder(config, connection), OllamaChat(config, connection), connection.close


KINDS = BackendKinds(
    ledgers=dict.fromkeys(("postgresql", "postgres"), _postgres),
    indexes=dict.fromkeys(("http", "https"), _qdrant),
    caches=dict.fromkeys(("redis", "rediss", "unix"), _redis),
    models=dict.fromkeys(("http", "https"), _ollama),
)
"""The backends that ragbed brings."""
