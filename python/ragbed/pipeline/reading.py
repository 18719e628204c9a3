"""Folders read and compared with the ledger: what is unchanged, and the pieces of what is not."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ragbed.errors import DocumentError
from ragbed.pipeline import sparse
from ragbed.pipeline.chunking import CHUNKING_VERSION, embedded_text
from ragbed.pipeline.corpus import Ignored, read_folder
from ragbed.pipeline.embedding import prefixes
from ragbed.pipeline.parsing import EmptyDocument
from ragbed.pipeline.ports import LedgerRow
from ragbed.pipeline.records import Unreadable
from ragbed.pipeline.terms import TERMS_VERSION, terms

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ragbed.pipeline.config import PipelineConfig
    from ragbed.pipeline.parser_process import ParserProcess
    from ragbed.pipeline.parsing import SourceFile
    from ragbed.pipeline.ports import SourceFolder
    from ragbed.pipeline.progress import IngestProgress
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
    """What folders held, compared with the ledger.

    Attributes:
        unreadable: Files that could not be read, and why.
        empty: Paths of files without any text.
        ignored: How many files had another suffix, by suffix.
        unchanged: Paths that the ledger knows with the same bytes.
        changed: What the ledger will say of the others, by path.
        pieces: Theirs, those of one document next to each other.
        files: How many files were looked at.
    """

    unreadable: list[Unreadable] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    unchanged: list[str] = field(default_factory=list)
    changed: dict[str, LedgerRow] = field(default_factory=dict)
    pieces: list[Piece] = field(default_factory=list)
    files: int = 0

    @property
    def present(self) -> set[str]:
        """Paths of every readable document."""
        return {*self.unchanged, *self.changed}


def read_changes(
    source: SourceFolder,
    config: PipelineConfig,
    *,
    known: Mapping[str, LedgerRow],
    parser: ParserProcess,
    reading: Reading,
    progress: IngestProgress,
) -> None:
    """Read a folder; parse and cut only what the ledger does not know in this form.

    Args:
        source: Corpus folder, and what its documents' paths begin with.
        config: Budget of a chunk, and the largest document.
        known: What is in the index, by path; documents of other folders too.
        parser: Parses and cuts.
        reading: What was found is added to it.
        progress: Told of every file.

    Raises:
        UsageError: The folder does not exist.
    """
    for item in read_folder(source.path, max_bytes=config.chunking.max_document_bytes):
        if isinstance(item, Ignored):
            reading.ignored[item.kind] += 1
        elif isinstance(item, Unreadable):
            reading.unreadable.append(replace(item, path=source.name(item.path)))
        else:
            named = replace(item, path=source.name(item.path))
            row = known.get(named.path)
            if row and row.source != source.prefix:
                reason = "another folder of this namespace has a document of that path"
                reading.unreadable.append(Unreadable(path=named.path, reason=reason))
            elif row and row.content_hash == named.content_hash:
                reading.unchanged.append(named.path)
            else:
                _read_changed(named, source, config, parser, reading)
        reading.files += 1
        progress.read(reading.files)


def _read_changed(
    file: SourceFile, source: SourceFolder, config: PipelineConfig, parser: ParserProcess, reading: Reading
) -> None:
    try:
        document, chunks = parser.chunks(file, budget=config.chunking.tokens, overlap=config.chunking.overlap)
    except EmptyDocument:
        reading.empty.append(file.path)
        return
    except DocumentError as error:
        reading.unreadable.append(Unreadable(path=file.path, reason=error.message))
        return
    pieces = [_piece(document, chunk) for chunk in chunks]
    reading.pieces.extend(pieces)
    reading.changed[file.path] = LedgerRow(
        path=file.path,
        content_hash=file.content_hash,
        chunks=len(pieces),
        terms=tuple(sorted({term for piece in pieces for term in terms(piece.text)})),
        updated=document.updated,
        source=source.prefix,
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
        config.models.embedding,
        model_digest,
        prefixes(config.models.embedding),
        [config.chunking.tokens, config.chunking.overlap],
        [CHUNKING_VERSION, TERMS_VERSION, PAYLOAD_VERSION],
        [sparse.K1, sparse.B, sparse.AVERAGE_TERMS],
    ]
    return hashlib.sha256(json.dumps(shape).encode()).hexdigest()
