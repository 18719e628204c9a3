"""The pipeline on a real Ollama: what it embeds, and what the smoke run makes of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ragbed.pipeline import Pipeline, open_pipeline
from ragbed.pipeline.on_stack import pipeline_config
from ragbed.settings import resolve_settings
from ragbed.stack import running_stack
from ragbed.state import StateFolder
from tiny_models.corpus import CHUNK_TOKENS, write_corpus

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ragbed_command import RagbedCommand


@pytest.fixture
def pipeline(
    ollama_environ: dict[str, str], ragbed: RagbedCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Pipeline]:
    """A pipeline on a private stack with the tiny test models."""
    for name, value in ollama_environ.items():
        monkeypatch.setenv(name, value)
    chosen = {"stack.default_ports": False, "pipeline.chunk_tokens": CHUNK_TOKENS}
    settings = resolve_settings(folder=tmp_path, overrides=chosen)
    folder = StateFolder(ragbed.state)
    with (
        running_stack(settings, folder=folder, private=True) as stack,
        open_pipeline(pipeline_config(stack, settings, folder=folder)) as opened,
    ):
        yield opened


def test_only_what_changed_is_embedded(pipeline: Pipeline, tmp_path: Path) -> None:
    """Every chunk is embedded once; an unchanged corpus costs none, a changed document its own."""
    corpus = tmp_path / "corpus"
    write_corpus(corpus, chunks=70, seed=1)
    first = pipeline.ingest(corpus)
    unchanged = pipeline.ingest(corpus)
    write_corpus(tmp_path / "other", chunks=70, seed=2)
    (tmp_path / "other" / "document-0003.md").replace(corpus / "document-0003.md")

    changed = pipeline.ingest(corpus)

    assert (first.chunks, first.embedded, first.split, first.dimensions) == (70, 70, 0, 384)
    assert (unchanged.embedded, unchanged.unchanged) == (0, 10)
    assert (changed.embedded, changed.cached, changed.chunks) == (7, 0, 70)


def test_the_smoke_run_searches_by_meaning(ragbed_ollama: RagbedCommand) -> None:
    """With real embeddings every stage passes, and the held-out golden questions find their passages."""
    done = ragbed_ollama.run("smoke", "--json", timeout_s=600)
    report = json.loads(done.stdout)

    assert done.returncode == 0, done.stderr
    assert {one["name"]: one["product"] for one in report["services"]}["ollama"] == "ollama"
    assert report["retrieval"]["held_out"]["hit_at_5"] >= 0.92
