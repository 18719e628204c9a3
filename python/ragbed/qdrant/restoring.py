"""`python -m ragbed.qdrant.restoring` fetches, checks, unpacks and tries a snapshot, apart from the server.

What a snapshot holds comes from anywhere. Here it can neither hold up the server, nor fill its memory, nor break it:
the process may be killed at any time, and what it leaves is one folder. See `child` for how it is asked.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import resource
import sys
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, TypedDict

import qdrant_edge as engine

from ragbed.qdrant.child import answered, end_with_parent
from ragbed.qdrant.errors import ApiError, BadRequest, FormatError, InvalidValue, WrongInput
from ragbed.qdrant.opening import engine_errors, is_damage
from ragbed.qdrant.translate.config import read_config
from ragbed.qdrant.unpacking import unpack

if TYPE_CHECKING:
    from io import BufferedRandom, BufferedReader

    from ragbed.qdrant.translate.config import CollectionConfig

MEMORY_BYTES = 2 * 1024**3
"""Memory of its own that the process may take; files that are mapped do not count."""

SAMPLE = 100
"""Points that are read as a trial."""


class Request(TypedDict):
    """What is to be restored.

    Attributes:
        path: File of the snapshot; empty where it is fetched.
        url: Where it is fetched, if it is.
        api_key: Key for that server; None for none.
        checksum: SHA-256 that it must have; None for any.
        files: Folder that its files are unpacked into, made here.
        max_bytes: How large it may be, packed and unpacked.
        target: Configuration of the collection whose place it takes; None for none.
    """

    path: str
    url: str
    api_key: str | None
    checksum: str | None
    files: str
    max_bytes: int
    target: Any


def restore(request: Request) -> Any:
    """Unpack a snapshot, prove that it is one, and return its configuration; raise ApiError with the reason."""
    files = Path(request["files"])
    with _opened(request, files.parent) as file:
        _require_checksum(file, request["checksum"])
        body = unpack(file, files, max_bytes=request["max_bytes"])
    try:
        config = read_config(body)
    except (FormatError, InvalidValue) as error:
        raise WrongInput(f"the snapshot is damaged: its configuration: {error}") from error
    if request["target"] is not None:
        config.require_vectors_of(read_config(request["target"]))
    _try(files, config)
    return config.body


def _opened(request: Request, folder: Path) -> BufferedReader | BufferedRandom:
    if request["path"]:
        try:
            return Path(request["path"]).open("rb")
        except OSError as error:
            raise BadRequest(f"Snapshot file {request['path']!r} cannot be read: {error.strerror}") from error
    from ragbed.qdrant.fetching import fetch  # noqa: PLC0415  # slow to import, and uploads do without

    file = TemporaryFile(dir=folder)  # noqa: SIM115  # the caller closes it
    fetch(request["url"], file, api_key=request["api_key"], max_bytes=request["max_bytes"], folder=folder)
    return file


def _require_checksum(file: BufferedReader | BufferedRandom, checksum: str | None) -> None:
    if checksum is None:
        return
    file.seek(0)
    actual = hashlib.file_digest(file, "sha256").hexdigest()
    if not hmac.compare_digest(actual, checksum.lower()):
        raise BadRequest(f"Snapshot checksum mismatch: expected {checksum}, actual {actual}")


def _try(files: Path, config: CollectionConfig) -> None:
    """Open the files as what they claim to be, and read some points; the engine compares sizes and distances."""
    if not (files / "edge_config.json").is_file():
        raise WrongInput("the snapshot is damaged: it lacks the engine's configuration")
    try:
        with engine_errors():
            shard = engine.EdgeShard.load(str(files), config.engine)
            shard.info()
            shard.scroll(engine.ScrollRequest(limit=SAMPLE, with_payload=True, with_vector=True))
            shard.close()
    except ApiError as error:
        if not is_damage(error):
            raise
        raise WrongInput(f"the engine cannot open the snapshot: {error}") from error


def main() -> int:
    """Answer the request on stdin; return the exit code."""
    if not end_with_parent(os.getppid()):
        return 1
    for kind, most in ((resource.RLIMIT_DATA, MEMORY_BYTES), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(kind, (most, resource.getrlimit(kind)[1]))
    return answered(restore)


if __name__ == "__main__":
    sys.exit(main())
