"""A folder read and compared with the ledger: what is unchanged, and the pieces of what is not."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ragbed.errors import DocumentError
from ragbed.pipeline import sparse
from ragbed.pipeline.chunking import CHUNKING_VERSION, chunk_document, embedded_text
from ragbed.pipeline.corpus import Ignored, parse, read_folder
from ragbed.pipeline.embedding import prefixes
from ragbed.pipeline.ports import LedgerRow
from ragbed.pipeline.records import IngestProgress, Unreadable
from ragbed.pipeline.terms import TERMS_VERSION, terms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import Any

    from ragbed.pipeline.config import PipelineConfig
    from ragbed.pipeline.corpus import SourceFile
    from ragbed.pipeline.records import Chunk, Document

PAYLOAD_VERSION = 1
"""Goes into the index's fingerprint: raise it whenever a point's payload changes."""

_IDS = uuid.UUID("6ed1a6d7-2a53-5b0e-9b7c-0f5f6f0d7c11")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A chunk on its way into the index.

    Attributes:
        id: The same for the same text at the same place of the same document.
        document: Path of its document.
        text: What is embedded and weighed.
        payload: What a hit gives back.
    """

    id: str
    document: str
    text: str
    payload: Mapping[str, Any]


@dataclass(slots=True, kw_only=True)
class Reading:
    """What a folder held, compared with the ledger.

    Attributes:
        unreadable: Files that could not be read, and why.
        ignored: How many files had other suffixes.
        unchanged: Paths that the ledger knows with the same bytes.
        changed: What the ledger will say of the others, by path.
        pieces: Theirs, those of one document next to each other.
    """

    unreadable: list[Unreadable] = field(default_factory=list)
    ignored: int = 0
    unchanged: list[str] = field(default_factory=list)
    changed: dict[str, LedgerRow] = field(default_factory=dict)
    pieces: list[Piece] = field(default_factory=list)

    @property
    def present(self) -> set[str]:
        """Paths of every readable document."""
        return {*self.unchanged, *self.changed}


def read_changes(
    folder: Path,
    config: PipelineConfig,
    trusted: Mapping[str, LedgerRow],
    progress: Callable[[IngestProgress], None],
) -> Reading:
    """Read a folder; parse and cut only what the ledger does not know in this form.

    Args:
        folder: Corpus folder.
        config: Budget of a chunk, and the largest document.
        trusted: What is in the index, by path.
        progress: Called for every file.

    Raises:
        UsageError: The folder does not exist.
    """
    reading = Reading()
    for number, item in enumerate(read_folder(folder, max_bytes=config.max_document_bytes), 1):
        if isinstance(item, Ignored):
            reading.ignored += 1
        elif isinstance(item, Unreadable):
            reading.unreadable.append(item)
        elif item.path in trusted and trusted[item.path].content_hash == item.content_hash:
            reading.unchanged.append(item.path)
        else:
            _read_changed(item, config, reading)
        progress(IngestProgress(stage="reading", done=number))
    return reading


def _read_changed(source: SourceFile, config: PipelineConfig, reading: Reading) -> None:
    try:
        document = parse(source)
    except DocumentError as error:
        reading.unreadable.append(Unreadable(path=source.path, reason=error.message))
        return
    chunks = chunk_document(document, budget=config.chunk_tokens, overlap=config.chunk_overlap)
    pieces = [_piece(document, chunk) for chunk in chunks]
    reading.pieces.extend(pieces)
    reading.changed[source.path] = LedgerRow(
        path=source.path,
        content_hash=source.content_hash,
        chunks=len(pieces),
        terms=tuple(sorted({term for piece in pieces for term in terms(piece.text)})),
        updated=document.updated,
    )


def _piece(document: Document, chunk: Chunk) -> Piece:
    payload = {
        "document": document.path,
        "title": document.title,
        "heading": " > ".join(chunk.heading),
        "text": chunk.text.strip(),
        "lesson_type": document.lesson_type,
        "platform": document.platform,
        "tags": list(document.tags),
        "updated": document.updated.isoformat() if document.updated else "",
    }
    return Piece(
        id=str(uuid.uuid5(_IDS, f"{document.path}\0{chunk.index}\0{chunk.text}")),
        document=document.path,
        text=embedded_text(document.title, chunk),
        payload=payload,
    )


def fingerprint(config: PipelineConfig, model_digest: str) -> str:
    """Return what changes with everything that shapes a point, the document's own bytes left out.

    Args:
        config: Model and budget.
        model_digest: Of the embedding model.
    """
    shape = [
        config.embedding_model,
        model_digest,
        prefixes(config.embedding_model),
        [config.chunk_tokens, config.chunk_overlap],
        [CHUNKING_VERSION, TERMS_VERSION, PAYLOAD_VERSION],
        [sparse.K1, sparse.B, sparse.AVERAGE_TERMS],
    ]
    return hashlib.sha256(json.dumps(shape).encode()).hexdigest()
