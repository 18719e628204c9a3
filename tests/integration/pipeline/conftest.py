"""A stack for the session, and for each test a pipeline whose namespace is its own."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest
from pipeline_bench import HANDBOOK, Bench

from ragbed.pipeline import open_pipeline
from ragbed.pipeline.on_stack import pipeline_config
from ragbed.settings import Settings, resolve_settings
from ragbed.stack import Stack, running_stack
from ragbed.state import StateFolder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def settings() -> Settings:
    """Return settings that nothing of this machine has changed."""
    return resolve_settings(environ={"APP_ENV": "local"})


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> StateFolder:
    """Return the stack's state folder."""
    return StateFolder(tmp_path_factory.mktemp("state"))


@pytest.fixture(scope="session")
def stack(settings: Settings, state: StateFolder) -> Iterator[Stack]:
    """Yield a private stack."""
    with running_stack(settings, folder=state, private=True) as running:
        yield running


@pytest.fixture
def bench(stack: Stack, settings: Settings, tmp_path: Path) -> Iterator[Bench]:
    """Yield a pipeline's configuration with an empty folder; what it wrote is dropped after the test."""
    config = pipeline_config(
        stack, settings, folder=StateFolder(tmp_path / "state"), namespace=f"test_{secrets.token_hex(6)}"
    )
    folder = tmp_path / "documents"
    folder.mkdir()
    yield Bench(config=config, folder=folder)
    with open_pipeline(config) as pipeline:
        pipeline.drop()


@pytest.fixture
def handbook(bench: Bench) -> Bench:
    """Return a pipeline with three documents, ingested."""
    bench.write(HANDBOOK)
    bench.ingest()
    return bench
