"""Backends of a pipeline: chosen by the scheme of an address, or handed in; a reader works on any that fit."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ragbed.errors import ConfigurationError
from ragbed.pipeline import PipelineConfig, open_reader
from ragbed.pipeline.adapters.ollama import OllamaChat, OllamaEmbedder
from ragbed.pipeline.adapters.postgres import PostgresLedger
from ragbed.pipeline.adapters.qdrant import QdrantIndex
from ragbed.pipeline.adapters.redis import RedisEmbeddingCache
from ragbed.pipeline.backends import KINDS, Backends, open_backends
from ragbed.pipeline.config import ModelConfig, StoreConfig
from ragbed.pipeline.ports import ChatReply, Hit, IndexState, IndexView, Vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ragbed.pipeline import Gap

CONFIG = PipelineConfig(
    stores=StoreConfig(
        database_url="postgresql://ragbed:secret@x/ragbed",
        redis_url="redis://x",
        qdrant_url="http://x",
        gaps_dir=Path("gaps"),
    ),
    models=ModelConfig(url="http://x"),
)


@dataclass
class Everything:
    """Every port that a reader needs, in memory: one document about ports."""

    closed: int = 0
    gaps: list[Gap] = field(default_factory=list)

    def view(self, terms: Sequence[str] = ()) -> IndexView:
        """Return an index of one document that holds every term."""
        state = IndexState(collection="c", fingerprint="f", model_digest="d", dimensions=1)
        return IndexView(state=state, vocabulary=Vocabulary(documents=1, frequencies=dict.fromkeys(terms, 1)))

    def digest(self) -> str:
        """Return the digest that the index was built with."""
        return "d"

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return the same vector for every text."""
        return [[1.0] for _ in texts]

    def get_many(self, keys: Sequence[str]) -> list[list[float] | None]:
        """Return nothing."""
        return [None for _ in keys]

    def put_many(self, vectors: object) -> None:
        """Forget it."""

    def search(self, *_: object, **__: object) -> tuple[list[Hit], list[Hit]]:
        """Return the one chunk for every question."""
        payload = {
            "document": "ports.md",
            "title": "Ports",
            "heading": "",
            "text": "Redis listens on port 6379.",
        }
        more = {"lesson_type": "", "platform": "", "tags": [], "updated": "2026-09-01"}
        hit = Hit(id="1", score=0.9, payload={**payload, **more})
        return [hit], [hit]

    def chat(self, _system: str, user: str, *, on_text: Callable[[str], None] | None = None) -> ChatReply:
        """Answer in two pieces."""
        assert "Redis listens on port 6379." in user
        for piece in ("Port 6379 ", "[1]."):
            if on_text:
                on_text(piece)
        return ChatReply(text="Port 6379 [1].", model="made", prompt_tokens=1, answer_tokens=2)

    def save(self, gap: Gap) -> Gap:
        """Keep a gap."""
        self.gaps.append(gap)
        return gap

    def close(self) -> None:
        """Count."""
        self.closed += 1


def test_addresses_choose_the_backends() -> None:
    """Those that ragbed brings; none of them connects."""
    backends = open_backends(CONFIG)

    kinds = [type(one) for one in (backends.ledger, backends.index, backends.cache)]
    assert kinds == [PostgresLedger, QdrantIndex, RedisEmbeddingCache]
    assert [type(backends.embedder), type(backends.chat)] == [OllamaEmbedder, OllamaChat]
    backends.close()
    backends.close()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"database_url": "mysql://u:secret@x/y"}, "the address of the ledger begins with mysql://"),
        ({"qdrant_url": "milvus://secret@x"}, "the address of the index begins with milvus://"),
        ({"redis_url": "memcached://secret@x"}, "the address of the cache begins with memcached://"),
        ({"database_url": "host=x password=secret"}, "the address of the ledger begins with no scheme"),
    ],
    ids=["ledger", "index", "cache", "no-scheme"],
)
def test_an_address_without_a_backend_is_refused(change: dict[str, str], message: str) -> None:
    """With what it may begin with, and without the rest of it, which may hold a password."""
    with pytest.raises(ConfigurationError, match=message) as caught:
        open_backends(replace(CONFIG, stores=replace(CONFIG.stores, **change)))

    assert "secret" not in caught.value.render()
    assert "it begins with one of " in caught.value.hint


def test_a_table_of_ones_own_adds_a_scheme() -> None:
    """As for an index that ragbed does not bring."""
    every: Any = Everything()
    kinds = replace(KINDS, indexes={"made": lambda _: (every, every.close)})

    backends = open_backends(
        replace(CONFIG, stores=replace(CONFIG.stores, qdrant_url="made://x")), kinds=kinds
    )

    assert backends.index is every
    backends.close()
    assert every.closed == 1


def test_a_reader_asks_the_backends_that_it_is_given() -> None:
    """No service runs; the answer comes in pieces and as a whole, and is checked."""
    every: Any = Everything()
    backends = Backends(
        ledger=every,
        gap_store=every,
        index=every,
        cache=every,
        embedder=every,
        chat=every,
        closers=(every.close,),
    )
    pieces: list[str] = []

    with open_reader(CONFIG, backends=backends) as reader:
        answer = reader.ask("Which port does Redis listen on?", on_text=pieces.append)

    assert pieces == ["Port 6379 ", "[1]."]
    assert (answer.text, answer.grounded, answer.gap) == ("Port 6379 [1].", True, None)
    assert (every.closed, every.gaps) == (1, [])
    assert not hasattr(reader, "ingest")
