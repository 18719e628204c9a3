"""Snapshots: a collection in one file, of our own making.

A snapshot is a zip of the engine's files as they are while no write is under way, and of `snapshot.json`: the format,
the collection's name and configuration, and the size of each file. The engine reserves space that it does not use yet,
so a file is kept up to the end of its data, and grown to its size again when it is taken out (`unpacking`).
"""

from __future__ import annotations

import hashlib
import os
import re
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING, Any

import orjson

from ragbed.qdrant.disk_space import require_space, size_on_disk
from ragbed.qdrant.errors import FormatError, NotFound, collection_missing
from ragbed.qdrant.folder import data_end

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ragbed.qdrant.shard import Shard

FORMAT = "ragbed-qdrant-snapshot-1"
ABOUT = "snapshot.json"
FILES = "files/"
SUFFIX = ".snapshot"
PIECE_BYTES = 1024 * 1024
MAX_LINE_BYTES, MAX_HEAD_BYTES = 256, 8192
PART = re.compile(rb"""[;\s]name=(?:"snapshot"|snapshot(?=[;\s]|$))""", re.IGNORECASE)
"""How a form names its part; `filename="snapshot"` is another thing."""

COPIES = 2
"""Space that a snapshot may take while it is made, in sizes of the collection: copied files, and the snapshot."""


def folder_of(shard: Shard) -> Path:
    """Return where a collection's snapshots are: beside its files, so that they go with it."""
    return shard.folder.parent / "snapshots"


def new_name(prefix: str, folder: Path) -> str:
    """Return a name for a snapshot made now, which no other in the folder has."""
    safe = "".join(character if character.isalnum() else "_" for character in prefix)[:100]
    now = datetime.now(UTC)
    name = f"{safe}-{now:%Y-%m-%d-%H-%M-%S}{SUFFIX}"
    return f"{safe}-{now:%Y-%m-%d-%H-%M-%S-%f}{SUFFIX}" if (folder / name).exists() else name


def write(shard: Shard, path: Path) -> None:
    """Write a snapshot of a collection; writes to it wait meanwhile.

    Args:
        shard: The collection.
        path: The file to write, which appears whole or not at all.

    Raises:
        NotFound: The collection was deleted meanwhile.
        ApiError: The disk has no room for it.
    """
    try:
        _write(shard, path)
    except FileNotFoundError:
        raise collection_missing(shard.name) from None


def _write(shard: Shard, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    require_space(path.parent, COPIES * size_on_disk(shard.folder))
    beside = path.with_name(f".{path.name}.new")
    try:
        with (
            TemporaryDirectory(dir=path.parent, prefix=".copy-") as copied,
            zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        ):
            files = Path(copied)
            config = shard.copy_to(files)  # quick, where packing is not
            sizes = {
                file.relative_to(files).as_posix(): _put(archive, files, file)
                for file in sorted(files.rglob("*"))
                if file.is_file()
            }
            about = {"format": FORMAT, "name": shard.name, "config": config.body, "sizes": sizes}
            archive.writestr(ABOUT, orjson.dumps(about))
        _sync(beside)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _put(archive: zipfile.ZipFile, files: Path, path: Path) -> int:
    """Write a file's data to an archive and return the file's size."""
    name = FILES + path.relative_to(files).as_posix()
    with path.open("rb") as source, archive.open(name, "w", force_zip64=True) as target:
        left = data_end(source.fileno())
        source.seek(0)
        while left and (piece := source.read(min(left, PIECE_BYTES))):
            target.write(piece)
            left -= len(piece)
        return os.fstat(source.fileno()).st_size


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def bundle(parts: Iterable[Path], aliases: dict[str, str], path: Path) -> None:
    """Write several snapshots and the aliases into one file, which appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    try:
        with zipfile.ZipFile(beside, "w") as archive:  # the parts are compressed already
            for part in parts:
                archive.write(part, part.name)
            archive.writestr("aliases.json", orjson.dumps(aliases))
        _sync(beside)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def listed(folder: Path) -> list[dict[str, Any]]:
    """Return the snapshots in a folder as JSON, the oldest first."""
    if not folder.is_dir():
        return []
    return [describe(path) for path in sorted(folder.glob(f"*{SUFFIX}")) if not path.name.startswith(".")]


def describe(path: Path) -> dict[str, Any]:
    """Return a snapshot's name, time, size in bytes and SHA-256 as JSON."""
    stat = path.stat()
    made = datetime.fromtimestamp(stat.st_mtime, UTC)
    return {
        "name": path.name,
        "creation_time": f"{made:%Y-%m-%dT%H:%M:%S}",
        "size": stat.st_size,
        "checksum": sha256(path),
    }


def sha256(path: Path) -> str:
    """Return a file's SHA-256 as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def find(folder: Path, name: str) -> Path:
    """Return a snapshot by its name; raise NotFound when there is none."""
    path = folder / name
    if "/" in name or name.startswith(".") or not name.endswith(SUFFIX) or not path.is_file():
        raise NotFound(f"Snapshot {name} not found")
    return path


def uploaded(content: bytes, into: IO[bytes]) -> None:
    """Write the file of a multipart body, its part named `snapshot`; raise FormatError when there is none."""
    line = content[: max(content.find(b"\r\n", 0, MAX_LINE_BYTES), 0)]
    start = 0
    while line.startswith(b"--") and (head := content.find(b"\r\n\r\n", start, start + MAX_HEAD_BYTES)) >= 0:
        end = content.find(b"\r\n" + line, head + 2)
        if end < 0:
            break
        if PART.search(content, start, head):
            into.write(memoryview(content)[head + 4 : end])
            return
        start = end + 2
    raise FormatError("the form has no part named `snapshot`")
