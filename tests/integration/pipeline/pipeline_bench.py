"""A pipeline under test, with the folder that it ingests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import psycopg

from ragbed.pipeline import IngestReport, Pipeline, PipelineConfig, open_pipeline

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

PORTS = """\
---
title: Ports
lesson_type: reference
platform: general
tags: [ports, network]
updated: 2026-09-01
---
# Ports

Postgres listens on port 5432. Redis listens on port 6379.
"""
BACKUP = """\
---
title: Backup
lesson_type: how-to
platform: postgres
tags: [backup]
updated: 2026-09-02
---
# Backup

Take a nightly dump with pg_dump.

## Restore

Restore a dump with pg_restore into an empty database.
"""
HANDBOOK = {
    "ports.md": PORTS,
    "backup.md": BACKUP,
    "cache.txt": "The embedding cache forgets a vector after one hour.\n",
}
"""A corpus small enough to reason about."""


def changed(config: PipelineConfig, **changes: Any) -> PipelineConfig:
    """Return a configuration with some values changed; of its records by a table each."""
    records = {
        name: replace(getattr(config, name), **value) if isinstance(value, dict) else value
        for name, value in changes.items()
    }
    return replace(config, **records)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A pipeline's configuration with a folder of documents beside it."""

    config: PipelineConfig
    folder: Path

    def write(self, files: dict[str, str]) -> None:
        """Write documents into the folder."""
        for name, text in files.items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_text(text)

    def ingest(self, **changes: Any) -> IngestReport:
        """Ingest the folder, with some numbers of the configuration changed."""
        with self.open(**changes) as pipeline:
            return pipeline.ingest(self.folder)

    def open(self, **changes: Any) -> AbstractContextManager[Pipeline]:
        """Open a pipeline, with some numbers of the configuration changed."""
        return open_pipeline(changed(self.config, **changes))

    def documents(self, question: str, **options: Any) -> list[str]:
        """Return the documents found for a question, each once."""
        with self.open() as pipeline:
            found = pipeline.retrieve(question, **options)
        return list(dict.fromkeys(chunk.document for chunk in found))

    def texts(self) -> list[str]:
        """Return the text of every chunk in the index, sorted."""
        with self.open() as pipeline:
            return sorted(chunk.text for chunk in pipeline.retrieve("dump port vector", top_k=1000))

    def execute(self, statement: str) -> list[tuple[object, ...]]:
        """Run SQL in the namespace's schema."""
        with psycopg.connect(self.config.stores.database_url, autocommit=True) as connection:
            connection.execute(f"SET search_path TO {self.config.schema}".encode())
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []
