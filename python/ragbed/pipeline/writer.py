"""The writing half of the pipeline: it makes the index hold what a folder holds, and takes it away again."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ragbed.errors import ServiceMissing
from ragbed.events import SILENT
from ragbed.pipeline.connected import Connected
from ragbed.pipeline.ports import CacheUnavailable

if TYPE_CHECKING:
    from pathlib import Path

    from ragbed.events import EventSink
    from ragbed.pipeline.records import IngestReport
    from ragbed.pipeline.sources import OtherFolder

logger = logging.getLogger(__name__)


class PipelineWriter(Connected):
    """Brings the schema up, ingests folders, drops the namespace."""

    def migrate(self) -> str:
        """Bring the namespace's schema to the newest revision and return it.

        Raises:
            ServiceMissing: Postgres does not answer.
            PipelineError: A revision failed.
        """
        return self._backends.ledger.migrate()

    def ingest(
        self,
        folder: Path,
        *,
        allow_empty: bool = False,
        other_folder: OtherFolder = "refuse",
        events: EventSink = SILENT,
    ) -> IngestReport:
        """Make the index hold what a folder holds: documents that are gone from it are removed.

        Args:
            folder: Corpus folder; Markdown, MDX, HTML and text below it are documents.
            allow_empty: Let a folder without any readable document empty the index.
            other_folder: What to do where the namespace holds the documents of another folder: `refuse`,
                `replace` those, or `add` these to them.
            events: Takes `stage.progress` of `waiting` for another ingest, of `reading` documents, of `indexing`
                chunks and of `finishing`: how many are `done` of a `total`.

        Raises:
            UsageError: The folder does not exist, it holds no document, or it is another one than before.
            PipelineError: A store or the model refused.
            ServiceMissing: A service does not answer.
        """
        from ragbed.pipeline.ingest import Ingest  # noqa: PLC0415 - readers need none of it

        run = Ingest(
            self.config,
            ledger=self._backends.ledger,
            index=self._backends.index,
            embedder=self._backends.embedder,
            embedding=self._embedding(),
            events=events,
        )
        report = run.run(folder, allow_empty=allow_empty, other_folder=other_folder)
        logger.info(
            "ingested %s into namespace %s: %d documents, %d changed, %d removed, %d chunks embedded, %.2f s",
            folder,
            self.config.namespace,
            report.documents,
            report.changed,
            report.removed,
            report.embedded,
            report.seconds,
        )
        return report

    def drop(self, *, keep_pages: bool = False) -> None:
        """Remove the namespace from every store; doing it twice is harmless.

        Args:
            keep_pages: Leave the records and review pages of its gaps in their folder.

        Raises:
            PipelineError: A store refused.
            ServiceMissing: A service does not answer.
        """
        if not keep_pages:
            self._backends.gap_store.remove_files()
        self._backends.index.drop()
        self._backends.ledger.drop()
        try:
            self._backends.cache.clear()
        except CacheUnavailable as error:
            raise ServiceMissing(
                f"Redis does not answer while dropping namespace {self.config.namespace}: {error}",
                hint="what is left there expires by itself",
            ) from error
