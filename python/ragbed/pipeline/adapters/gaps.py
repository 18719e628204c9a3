"""Gaps kept three ways: a row in Postgres, a JSON record and a review page."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING, Any

from ragbed.errors import PipelineError
from ragbed.pipeline.records import Gap
from ragbed.pipeline.searches import review_page
from ragbed.state.files import write_together

if TYPE_CHECKING:
    from pathlib import Path

    from ragbed.pipeline.adapters.postgres import Database

_COLUMNS = "id, question, kind, subject, reasons, queries, evidence, created_at, times_asked"


class PostgresGapStore:
    """Gaps of one namespace.

    Args:
        database: Connection.
        folder: Where records and pages go; made when the first gap is saved.
    """

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder

    def save(self, gap: Gap) -> Gap:
        """Keep a gap; one that is known is counted again. Return it as kept.

        The row comes first: it counts, and files that a kill left out are written when the gap is next seen.

        Raises:
            PipelineError: A file cannot be written, or Postgres refuses the row.
        """
        rows = self._database.execute(
            "INSERT INTO {gaps} AS known (id, question, kind, subject, reasons, queries, evidence, created_at)"
            " VALUES (%s, %s, %s, %s, %s::jsonb, %s::jsonb, %s::jsonb, %s)"
            " ON CONFLICT (id) DO UPDATE SET times_asked = known.times_asked + 1, last_asked_at = now(),"
            " reasons = excluded.reasons, evidence = excluded.evidence"
            " RETURNING created_at, times_asked",
            (
                gap.id,
                gap.question,
                gap.kind,
                gap.subject,
                *(json.dumps(part) for part in (gap.reasons, gap.queries, gap.evidence)),
                gap.created_at,
            ),
        )
        created_at, times_asked = rows[0]
        kept = replace(gap, created_at=created_at.astimezone(UTC), times_asked=times_asked)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            record = json.dumps(kept.to_json(), indent=2, ensure_ascii=False) + "\n"
            pages = {"json": record, "md": review_page(kept)}
            write_together(
                {
                    self._folder / f"{gap.id}.{kind}": text.encode(errors="replace")
                    for kind, text in pages.items()
                }
            )
        except OSError as error:
            raise PipelineError(
                f"gap {gap.id} cannot be written to {self._folder}: {error.strerror or error}",
                hint="make the folder writable, or name another stores.gaps_dir",
            ) from error
        return kept

    def all(self) -> list[Gap]:
        """Return every gap, the newest first."""
        rows = self._database.execute(
            f"SELECT {_COLUMNS} FROM {{gaps}} ORDER BY last_asked_at DESC, id"  # noqa: S608 - a constant
        )
        return [_gap(row) for row in rows]

    def remove_files(self) -> None:
        """Delete records and pages of this namespace's gaps, and their folder where nothing else is in it.

        A schema of another revision is not an obstacle.
        """
        for name in self._database.names_of_gaps():
            for suffix in ("json", "md"):
                (self._folder / f"{name}.{suffix}").unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # never made, or a user's own files are in it
            self._folder.rmdir()


def _gap(row: tuple[Any, ...]) -> Gap:
    values = dict(zip(_COLUMNS.split(", "), row, strict=True))
    for name in ("reasons", "queries", "evidence"):
        values[name] = tuple(values[name])
    values["created_at"] = values["created_at"].astimezone(UTC)
    return Gap(**values)
