"""Plans: when an index is kept, filled or built anew."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ragbed.errors import ConfigurationError
from ragbed.pipeline import PipelineConfig
from ragbed.pipeline.config import ChunkingConfig, LimitConfig, ModelConfig, StoreConfig
from ragbed.pipeline.ingest import IngestPlan, plan
from ragbed.pipeline.ports import IndexState, LedgerRow
from ragbed.pipeline.reading import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable

STATE = IndexState(collection="c1", fingerprint="f", model_digest="d", dimensions=2)
CONFIG = PipelineConfig(
    stores=StoreConfig(
        database_url="postgresql://x", redis_url="redis://x", qdrant_url="http://x", gaps_dir=Path("g")
    ),
    models=ModelConfig(url="http://x"),
)


def rows(*chunks: int, pending: bool = False) -> dict[str, LedgerRow]:
    """Return ledger rows with these numbers of chunks, and perhaps a pending one."""
    known = {
        f"{n}.md": LedgerRow(path=f"{n}.md", content_hash="h", chunks=count) for n, count in enumerate(chunks)
    }
    if pending:
        known["pending.md"] = LedgerRow(path="pending.md", content_hash="", chunks=0)
    return known


@pytest.mark.parametrize(
    ("state", "known", "live", "count", "mode"),
    [
        pytest.param(STATE, rows(2, 3), "c1", 5, "keep", id="all is as noted"),
        pytest.param(None, {}, None, 0, "fill", id="first ingest"),
        pytest.param(STATE, rows(5), None, 0, "fill", id="index gone"),
        pytest.param(None, {}, "c1", 5, "rebuild", id="ledger lost"),
        pytest.param(STATE, rows(5), "c2", 5, "rebuild", id="alias moved"),
        pytest.param(replace(STATE, fingerprint="old"), rows(5), "c1", 5, "rebuild", id="other parameters"),
        pytest.param(STATE, rows(5), "c1", 4, "rebuild", id="points lost"),
        pytest.param(STATE, rows(5), "c1", 6, "rebuild", id="points too many"),
        pytest.param(STATE, rows(5, pending=True), "c1", 7, "keep", id="killed between points and row"),
        pytest.param(STATE, rows(5, pending=True), "c1", 4, "rebuild", id="killed and lost"),
    ],
)
def test_plan_follows_from_what_is_there(
    state: IndexState | None, known: dict[str, LedgerRow], live: str | None, count: int, mode: str
) -> None:
    """Anything that would leave wrong points behind makes a new index."""
    assert plan(state, known, mark="f", live=live, count=lambda _: count).mode == mode


def test_kept_index_has_no_reason() -> None:
    """A reason is shown only for what is unusual."""
    assert plan(STATE, {}, mark="f", live="c1", count=lambda _: None) == IngestPlan(mode="keep")


@pytest.mark.parametrize(
    "other",
    [
        replace(CONFIG, chunking=ChunkingConfig(tokens=150)),
        replace(CONFIG, chunking=ChunkingConfig(overlap=10)),
        replace(CONFIG, models=ModelConfig(url="http://x", embedding="nomic-embed-text")),
    ],
    ids=["tokens", "overlap", "model"],
)
def test_fingerprint_changes_with_what_shapes_a_point(other: PipelineConfig) -> None:
    """Points of two shapes never share a collection."""
    assert fingerprint(other, "d") != fingerprint(CONFIG, "d")


def test_fingerprint_changes_with_the_models_bytes() -> None:
    """A tag that moved is another model."""
    assert fingerprint(CONFIG, "d") != fingerprint(CONFIG, "e")


def test_fingerprint_ignores_what_shapes_no_point() -> None:
    """Another batch size or chat model is not a reason to embed again."""
    other = replace(
        CONFIG,
        chunking=ChunkingConfig(batch_size=7),
        models=ModelConfig(url="http://x", chat="x"),
        limits=LimitConfig(top_k=9),
    )

    assert fingerprint(other, "d") == fingerprint(CONFIG, "d")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: replace(CONFIG, namespace="Big"), "namespace 'Big' is not"),
        (lambda: replace(CONFIG, namespace="a" * 41), "is not 1 to 40"),
        (lambda: replace(CONFIG, namespace="a-b"), "is not 1 to 40"),
        (lambda: replace(CONFIG.stores, cache_ttl_s=0), "stores.cache_ttl_s is 0, the lowest is 1"),
        (lambda: replace(CONFIG.models, answer_tokens=0), "models.answer_tokens is 0, the lowest is 1"),
        (lambda: LimitConfig(top_k=0), "limits.top_k is 0, the lowest is 1"),
        (lambda: LimitConfig(answer_timeout_s=0), "limits.answer_timeout_s is 0, the lowest is 0.001"),
        (lambda: ChunkingConfig(tokens=19), "chunking.tokens is 19, the lowest is 20"),
        (lambda: ChunkingConfig(overlap=101), "chunking.overlap is 101, more than half of chunking.tokens"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_configuration_out_of_range_is_refused(make: Callable[[], object], message: str) -> None:
    """The error names the value and its limit."""
    with pytest.raises(ConfigurationError, match=message):
        make()


def test_a_configuration_survives_its_way_to_another_process() -> None:
    """As JSON: every record, folders and secrets included."""
    config = replace(CONFIG, stores=replace(CONFIG.stores, qdrant_api_key="k"), limits=LimitConfig(top_k=9))

    assert PipelineConfig.from_json(json.loads(json.dumps(config.to_json()))) == config
