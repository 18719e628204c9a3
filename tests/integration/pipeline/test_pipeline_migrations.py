"""The schema of a namespace: one revision, reached once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from alembic.script import ScriptDirectory

import ragbed.pipeline.migrations
from ragbed.errors import PipelineError
from ragbed.pipeline.adapters.migrations import HEAD

if TYPE_CHECKING:
    from pipeline_bench import Bench


def test_head_is_the_newest_revision() -> None:
    """The constant that saves importing Alembic agrees with the scripts."""
    scripts = ScriptDirectory(str(Path(ragbed.pipeline.migrations.__file__).parent))

    assert scripts.get_heads() == [HEAD]


def test_migrating_twice_changes_nothing(bench: Bench) -> None:
    """Both calls return the newest revision."""
    with bench.open() as first, bench.open() as second:
        assert (first.migrate(), second.migrate()) == (HEAD, HEAD)


def test_schema_of_a_newer_ragbed_is_refused(bench: Bench) -> None:
    """An unknown revision is neither used nor overwritten."""
    with bench.open() as pipeline:
        pipeline.migrate()
    bench.execute("UPDATE alembic_version SET version_num = '9999'")

    with bench.open() as pipeline, pytest.raises(PipelineError, match="cannot be brought to revision"):
        pipeline.migrate()
