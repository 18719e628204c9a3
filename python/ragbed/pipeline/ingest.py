"""Ingest: make the index hold exactly what a folder holds, doing no more than what changed.

A kill at any moment is repaired by the next ingest, by the order of writes: a document is first marked as pending
in the ledger, then its points are written, then what it no longer has is deleted, and its row comes last. When the
index as a whole no longer fits (another model, other parameters, points lost), it is built anew beside the live
one, which answers until the alias is switched.
"""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from ragbed.errors import EmbeddingFailed, IndexFailed, UsageError
from ragbed.pipeline.corpus import SUFFIXES, listed, require_folder
from ragbed.pipeline.parser_process import ParserProcess
from ragbed.pipeline.ports import IndexPoint, IndexState
from ragbed.pipeline.progress import IngestProgress
from ragbed.pipeline.reading import Reading, fingerprint, read_changes
from ragbed.pipeline.records import IngestReport
from ragbed.pipeline.sources import choose_sources
from ragbed.pipeline.sparse import encode_chunk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from ragbed.events import EventSink
    from ragbed.pipeline.config import PipelineConfig
    from ragbed.pipeline.embedding import CachedEmbedding
    from ragbed.pipeline.ports import Embedder, Ledger, LedgerRow, VectorIndex
    from ragbed.pipeline.reading import Piece
    from ragbed.pipeline.sources import OtherFolder, Sources


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestPlan:
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
) -> IngestPlan:
    """Decide how an index is brought up to date.

    Args:
        state: What the ledger says it was built with.
        rows: What the ledger says it holds.
        mark: Fingerprint of what is wanted now.
        live: Collection that the alias names.
        count: Asks for the points of a collection; called at most once.
    """
    if live is None:
        return IngestPlan(mode="fill", reason="" if state is None else "the index was gone")
    if state is None or live != state.collection:
        return IngestPlan(mode="rebuild", reason="the ledger does not know the live collection")
    if state.fingerprint != mark:
        return IngestPlan(mode="rebuild", reason="the embedding model or a parameter changed")
    expected = sum(row.chunks for row in rows.values())
    held = count(live) or 0
    # A killed ingest leaves points that no row counts yet.
    unfinished = any(row.pending for row in rows.values())
    if held < expected or (held > expected and not unfinished):
        return IngestPlan(mode="rebuild", reason=f"the index held {held} points, the ledger {expected}")
    return IngestPlan(mode="keep")


class Ingest:
    """One run.

    Args:
        config: Numbers to work with.
        ledger: What is in the index.
        index: The index.
        embedder: Asked for its model's digest.
        embedding: Embeds the chunks, and counts.
        events: Told how far the run is.
    """

    def __init__(
        self,
        config: PipelineConfig,
        *,
        ledger: Ledger,
        index: VectorIndex,
        embedder: Embedder,
        embedding: CachedEmbedding,
        events: EventSink,
    ) -> None:
        self._config = config
        self._ledger = ledger
        self._index = index
        self._embedder = embedder
        self._embedding = embedding
        self._events = events
        self._progress = IngestProgress(events)
        self._batches = 0

    def run(
        self, folder: Path, *, allow_empty: bool = False, other_folder: OtherFolder = "refuse"
    ) -> IngestReport:
        """Make the index hold what the folder holds.

        Args:
            folder: Corpus folder.
            allow_empty: Let a folder without any readable document empty the index.
            other_folder: What to do where the index holds the documents of another folder: refuse, take those
                out, or keep both.

        Raises:
            UsageError: The folder does not exist, it holds no document, or it is another folder than before.
            PipelineError: A store or the model refused.
            ServiceMissing: A service does not answer.
        """
        started = time.monotonic()
        self._ledger.migrate()
        with self._ledger.exclusive(self._events):
            mark = fingerprint(self._config, self._embedder.digest())
            state, rows = self._ledger.state(), self._ledger.rows()
            sources = choose_sources(
                require_folder(folder),
                self._ledger.folders(),
                other=other_folder,
                namespace=self._config.namespace,
                taken={path.partition("/")[0] for path in rows},
            )
            way = plan(state, rows, mark=mark, live=self._index.live(), count=self._index.count)
            kept = _kept(rows, sources) if way.mode == "keep" else {}
            trusted = {path: row for path, row in kept.items() if row.source == sources.current.prefix}
            reading = self._read(sources, kept, whole=way.mode != "keep")
            if not reading.present and not allow_empty:
                raise _nothing_read(folder, reading, len(rows), self._config.namespace)
            removed = sorted(rows.keys() - reading.present - (kept.keys() - trusted.keys()))
            if way.mode == "rebuild":
                state = self._rebuild(reading, mark)
            else:
                held = rows if way.mode == "keep" else {}
                state = self._update(reading, mark, state if way.mode == "keep" else None, held)
                self._remove(removed, state)
            self._ledger.remember(sources.all)
            others = [row for path, row in kept.items() if path not in trusted]
            chunks = self._verified(reading, kept, others, state, changed=bool(reading.pieces or removed))
        report = self._report(reading, way, seconds=time.monotonic() - started)
        return replace(
            report,
            documents=len(reading.present) + len(others),
            removed=len(removed),
            chunks=chunks,
            dimensions=state.dimensions if state and chunks else 0,
        )

    def _report(self, reading: Reading, way: IngestPlan, *, seconds: float) -> IngestReport:
        """Return what was read and embedded; what the index holds is left at 0."""
        return IngestReport(
            documents=0,
            unreadable=tuple(reading.unreadable),
            empty=tuple(reading.empty),
            ignored=reading.ignored.total(),
            ignored_by_suffix=dict(reading.ignored),
            chunks=0,
            unchanged=len(reading.unchanged),
            changed=len(reading.changed),
            removed=0,
            embedded=self._embedding.counts.embedded,
            cached=self._embedding.counts.cached,
            split=self._embedding.counts.split,
            batches=self._batches,
            seconds=seconds,
            dimensions=0,
            rebuilt=way.reason,
            warnings=self._embedding.warnings,
        )

    def _read(self, sources: Sources, known: Mapping[str, LedgerRow], *, whole: bool) -> Reading:
        """Read the folder, and where the whole index is made anew, the namespace's other folders too."""
        reading = Reading()
        with ParserProcess() as parser:
            for source in sources.all if whole else (sources.current,):
                if source != sources.current and not source.path.is_dir():
                    raise UsageError(
                        f"the index has to be built anew, and {source.path}, which it holds, is not there",
                        hint=f"bring it back, or take its documents out: ingest {sources.current.path} --replace",
                    )
                read_changes(
                    source,
                    self._config,
                    known=known,
                    parser=parser,
                    reading=reading,
                    progress=self._progress,
                )
        return reading

    def _update(
        self, reading: Reading, mark: str, state: IndexState | None, held: Mapping[str, LedgerRow]
    ) -> IndexState | None:
        """Write what changed into the live collection; make that first where there is none."""
        if reading.changed:
            self._ledger.begin(list(reading.changed.values()))
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
            known = [path for path in finished if path in held]
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
        total, size = len(pieces), self._config.chunking.batch_size
        for start in range(0, total, size):
            batch = pieces[start : start + size]
            self._progress.indexed(start, total, batch=size)
            points = self._points(batch)
            following = pieces[start + size].document if start + size < total else ""
            yield (
                points,
                [path for path in dict.fromkeys(piece.document for piece in batch) if path != following],
            )
            self._batches += 1
        if total:
            self._progress.indexed(total, total, batch=size)

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
        self,
        reading: Reading,
        kept: Mapping[str, LedgerRow],
        others: Sequence[LedgerRow],
        state: IndexState | None,
        *,
        changed: bool,
    ) -> int:
        """Return how many chunks there are, having counted them in the index where it was written to."""
        unchanged = sum(kept[path].chunks for path in reading.unchanged) + sum(row.chunks for row in others)
        expected = unchanged + len(reading.pieces)
        if changed and state is not None:
            self._progress.finishing()
            held = self._index.count(state.collection)
            if held != expected:
                raise IndexFailed(
                    f"{state.collection} holds {held} points after the ingest, not {expected}",
                    hint="something else writes to it; ingest again, which builds the index anew",
                )
        return expected


def _kept(rows: Mapping[str, LedgerRow], sources: Sources) -> dict[str, LedgerRow]:
    """Return what the ledger says of the folders that stay."""
    prefixes = {source.prefix for source in sources.all}
    return {path: row for path, row in rows.items() if row.source in prefixes}


def _nothing_read(folder: Path, reading: Reading, held: int, namespace: str) -> UsageError:
    """Return what to say of a folder that is far likelier the wrong one than meant to empty an index."""
    at_stake = f"; the namespace {namespace} holds {held}, which would go" if held else ""
    return UsageError(
        f"{folder} holds no document that can be read{at_stake}",
        details=[
            *(f"{one.path}: {one.reason}" for one in reading.unreadable[:5]),
            *(f"{path}: empty" for path in reading.empty[:5]),
            *([f"left out: {listed(reading.ignored)}"] if reading.ignored else []),
            f"documents are {', '.join(SUFFIXES)}",
        ],
        hint="name the folder of documents"
        + (", or empty the index by --allow-empty" if held else ", or pass --allow-empty"),
    )


def _require_dimensions(points: Sequence[IndexPoint], state: IndexState) -> None:
    dimensions = len(points[0].dense)
    if dimensions != state.dimensions:
        raise EmbeddingFailed(
            f"the model gave {dimensions} dimensions, the index {state.collection} has {state.dimensions}",
            hint="the model changed during the ingest; ingest again",
        )
