"""Ingest: make the index hold exactly what a folder holds, doing no more than what changed.

A kill at any moment is repaired by the next ingest, by the order of writes: a document is first marked as pending
in the ledger, then its points are written, then what it no longer has is deleted, and its row comes last. When the
index as a whole no longer fits (another model, other parameters, points lost), it is built anew beside the live
one, which answers until the alias is switched.
"""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ragbed.errors import EmbeddingFailed, IndexFailed, UsageError
from ragbed.pipeline.ports import IndexPoint, IndexState
from ragbed.pipeline.reading import fingerprint, read_changes
from ragbed.pipeline.records import IngestProgress, IngestReport
from ragbed.pipeline.sparse import encode_chunk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from ragbed.pipeline.config import PipelineConfig
    from ragbed.pipeline.embedding import CachedEmbedding
    from ragbed.pipeline.ports import Embedder, Ledger, LedgerRow, VectorIndex
    from ragbed.pipeline.reading import Piece, Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How an index is brought up to date.

    Attributes:
        mode: `keep` it and write what changed; `fill` a new one, since none answers; or `rebuild` one beside it.
        reason: Why it is rebuilt.
    """

    mode: Literal["keep", "fill", "rebuild"]
    reason: str = ""


def plan(
    state: IndexState | None,
    rows: Mapping[str, LedgerRow],
    *,
    mark: str,
    live: str | None,
    count: Callable[[str], int | None],
) -> Plan:
    """Decide how an index is brought up to date.

    Args:
        state: What the ledger says it was built with.
        rows: What the ledger says it holds.
        mark: Fingerprint of what is wanted now.
        live: Collection that the alias names.
        count: Asks for the points of a collection; called at most once.
    """
    if live is None:
        return Plan(mode="fill", reason="" if state is None else "the index was gone")
    if state is None or live != state.collection:
        return Plan(mode="rebuild", reason="the ledger does not know the live collection")
    if state.fingerprint != mark:
        return Plan(mode="rebuild", reason="the embedding model or a parameter changed")
    expected = sum(row.chunks for row in rows.values())
    found = count(live) or 0
    # A killed ingest leaves points that no row counts yet.
    unfinished = any(row.pending for row in rows.values())
    if found < expected or (found > expected and not unfinished):
        return Plan(mode="rebuild", reason=f"the index held {found} points, the ledger {expected}")
    return Plan(mode="keep")


class Ingest:
    """One run.

    Args:
        config: Numbers to work with.
        ledger: What is in the index.
        index: The index.
        embedder: Asked for its model's digest.
        embedding: Embeds the chunks, and counts.
        progress: Called as the run goes on.
    """

    def __init__(
        self,
        config: PipelineConfig,
        *,
        ledger: Ledger,
        index: VectorIndex,
        embedder: Embedder,
        embedding: CachedEmbedding,
        progress: Callable[[IngestProgress], None],
    ) -> None:
        self._config = config
        self._ledger = ledger
        self._index = index
        self._embedder = embedder
        self._embedding = embedding
        self._progress = progress
        self._batches = 0

    def run(self, folder: Path, *, allow_empty: bool = False) -> IngestReport:
        """Make the index hold what the folder holds.

        Args:
            folder: Corpus folder.
            allow_empty: Let a folder without any readable document empty an index that holds some.

        Raises:
            UsageError: The folder does not exist, or it holds no document while the index holds some.
            PipelineError: A store or the model refused.
            ServiceMissing: A service does not answer.
        """
        started = time.monotonic()
        self._ledger.migrate()
        with self._ledger.exclusive(lambda: self._progress(IngestProgress(stage="waiting"))):
            mark = fingerprint(self._config, self._embedder.digest())
            state, rows = self._ledger.state(), self._ledger.rows()
            way = plan(state, rows, mark=mark, live=self._index.live(), count=self._index.count)
            trusted = rows if way.mode == "keep" else {}
            reading = read_changes(folder, self._config, trusted, self._progress)
            if rows and not reading.present and not allow_empty:
                raise _would_empty(folder, reading, len(rows), self._config.namespace)
            removed = sorted(rows.keys() - reading.present)
            if way.mode == "rebuild":
                state = self._rebuild(reading, mark)
            else:
                state = self._update(reading, mark, state if way.mode == "keep" else None, trusted)
                self._remove(removed, state)
            chunks = self._verified(reading, trusted, state, changed=bool(reading.pieces or removed))
        return IngestReport(
            documents=len(reading.present),
            unreadable=tuple(reading.unreadable),
            ignored=reading.ignored,
            chunks=chunks,
            unchanged=len(reading.unchanged),
            changed=len(reading.changed),
            removed=len(removed),
            embedded=self._embedding.counts.embedded,
            cached=self._embedding.counts.cached,
            split=self._embedding.counts.split,
            batches=self._batches,
            seconds=time.monotonic() - started,
            dimensions=state.dimensions if state and chunks else 0,
            rebuilt=way.reason,
            warnings=self._embedding.warnings,
        )

    def _update(
        self, reading: Reading, mark: str, state: IndexState | None, trusted: Mapping[str, LedgerRow]
    ) -> IndexState | None:
        """Write what changed into the live collection; make that first where there is none."""
        if reading.changed:
            self._ledger.begin(list(reading.changed))
        ids: dict[str, list[str]] = defaultdict(list)
        for piece in reading.pieces:
            ids[piece.document].append(piece.id)
        for points, finished in self._batched(reading.pieces):
            if state is None:
                state = self._create(mark, points)
                self._index.publish(state.collection)
                self._ledger.restart(state)
                self._index.forget_others(state.collection)
            _require_dimensions(points, state)
            self._index.upsert(state.collection, points)
            known = [path for path in finished if path in trusted]
            if known:
                self._index.delete(
                    state.collection, known, keep=[name for path in known for name in ids[path]]
                )
            self._ledger.complete([reading.changed[path] for path in finished])
        return state

    def _rebuild(self, reading: Reading, mark: str) -> IndexState | None:
        """Build a collection beside the live one, switch to it, and note everything at once."""
        state: IndexState | None = None
        for points, _ in self._batched(reading.pieces):
            state = state or self._create(mark, points)
            _require_dimensions(points, state)
            self._index.upsert(state.collection, points)
        if state is None:  # nothing to index
            self._index.drop()
            self._ledger.remove(list(self._ledger.rows()))
            return None
        self._index.publish(state.collection)
        self._ledger.replace(state, list(reading.changed.values()))
        # Last: questions go to the collection that the ledger names, and until now that was an older one.
        self._index.forget_others(state.collection)
        return state

    def _batched(self, pieces: Sequence[Piece]) -> Iterator[tuple[list[IndexPoint], list[str]]]:
        """Yield the points of each batch, and the documents whose last piece is in it."""
        total, size = len(pieces), self._config.batch_size
        for start in range(0, total, size):
            batch = pieces[start : start + size]
            self._progress(IngestProgress(stage="indexing", done=start, total=total))
            points = self._points(batch)
            following = pieces[start + size].document if start + size < total else ""
            yield (
                points,
                [path for path in dict.fromkeys(piece.document for piece in batch) if path != following],
            )
            self._batches += 1
        if total:
            self._progress(IngestProgress(stage="indexing", done=total, total=total))

    def _points(self, batch: Sequence[Piece]) -> list[IndexPoint]:
        names = [f"{piece.document}, {piece.payload['heading'] or 'its beginning'}" for piece in batch]
        vectors = self._embedding.documents([piece.text for piece in batch], names=names)
        return [
            IndexPoint(id=piece.id, dense=vector, sparse=encode_chunk(piece.text), payload=piece.payload)
            for piece, vector in zip(batch, vectors, strict=True)
        ]

    def _create(self, mark: str, points: Sequence[IndexPoint]) -> IndexState:
        dimensions = len(points[0].dense)
        return IndexState(
            collection=self._index.create(dimensions),
            fingerprint=mark,
            model_digest=self._embedder.digest(),
            dimensions=dimensions,
        )

    def _remove(self, paths: Sequence[str], state: IndexState | None) -> None:
        if paths and state is not None:
            self._index.delete(state.collection, paths)
        if paths:
            self._ledger.remove(paths)

    def _verified(
        self, reading: Reading, trusted: Mapping[str, LedgerRow], state: IndexState | None, *, changed: bool
    ) -> int:
        """Return how many chunks there are, having counted them in the index where it was written to."""
        kept = sum(trusted[path].chunks for path in reading.unchanged)
        expected = kept + len(reading.pieces)
        if changed and state is not None:
            self._progress(IngestProgress(stage="finishing"))
            found = self._index.count(state.collection)
            if found != expected:
                raise IndexFailed(
                    f"{state.collection} holds {found} points after the ingest, not {expected}",
                    hint="something else writes to it; ingest again, which builds the index anew",
                )
        return expected


def _would_empty(folder: Path, reading: Reading, held: int, namespace: str) -> UsageError:
    """Return what to say of a folder that is far likelier the wrong one than meant to empty an index."""
    return UsageError(
        f"{folder} holds no document that can be read; the namespace {namespace} holds {held}, which would go",
        details=[
            *(f"{one.path}: {one.reason}" for one in reading.unreadable[:5]),
            f"{reading.ignored} files have other suffixes than .md, .mdx and .txt",
        ],
        hint="name the folder of documents, or empty the index by --allow-empty",
    )


def _require_dimensions(points: Sequence[IndexPoint], state: IndexState) -> None:
    found = len(points[0].dense)
    if found != state.dimensions:
        raise EmbeddingFailed(
            f"the model gave {found} dimensions, the index {state.collection} has {state.dimensions}",
            hint="the model changed during the ingest; ingest again",
        )
