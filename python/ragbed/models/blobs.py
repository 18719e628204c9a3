"""Blobs by digest in a folder: whole ones under their name, unfinished ones beside, never a wrong one."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from io import FileIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from threading import Event

    from ragbed.pins import Part

BUFFER_BYTES = 1 << 20
_PARTIAL = ".partial"
_NAME_LENGTH = len("sha256-") + 64


@dataclass(frozen=True, slots=True)
class BlobFolder:
    """A folder `blobs/` as Ollama keeps it: a file `sha256-HEX` per blob.

    Attributes:
        root: The folder above `blobs/`.
    """

    root: Path

    @property
    def folder(self) -> Path:
        """Where the blobs are."""
        return self.root / "blobs"

    def path(self, digest: str) -> Path:
        """Return where a blob is, or would be."""
        return self.folder / digest.replace(":", "-")

    def has(self, part: Part) -> bool:
        """Tell whether a blob is there in its full size; `hash_file` tells whether its bytes are right."""
        try:
            return self.path(part.digest).stat().st_size == part.size_bytes
        except FileNotFoundError:
            return False

    def begun_bytes(self, part: Part) -> int:
        """Return how much of a blob a broken transfer has left."""
        try:
            return self._partial(part.digest).stat().st_size
        except FileNotFoundError:
            return 0

    def digests(self) -> list[str]:
        """Return the digests of all whole blobs, by name."""
        names = sorted(path.name for path in self.folder.glob("sha256-*") if len(path.name) == _NAME_LENGTH)
        return [name.replace("-", ":", 1) for name in names]

    def begun(self) -> list[str]:
        """Return the digests of all unfinished blobs, by name."""
        names = sorted(path.stem for path in self.folder.glob(f"sha256-*{_PARTIAL}"))
        return [name.replace("-", ":", 1) for name in names]

    def size_bytes(self, digest: str) -> int:
        """Return what a blob takes, whole and unfinished."""
        paths = (self.path(digest), self._partial(digest))
        return sum(path.stat().st_size for path in paths if path.exists())

    def remove(self, digest: str) -> int:
        """Remove a blob, whole or unfinished, and return how many bytes that were."""
        freed = self.size_bytes(digest)
        for path in (self.path(digest), self._partial(digest)):
            path.unlink(missing_ok=True)
        return freed

    @contextmanager
    def unfinished(self, digest: str, stop: Event) -> Iterator[FileIO]:
        """Yield the unfinished file of a blob, locked: a second process that wants it waits for the first.

        Args:
            digest: Of the blob.
            stop: Ends the waiting, with an empty `InterruptedError`.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._partial(digest)
        while True:
            with FileIO(path, "a+") as file:
                while not _locked(file):
                    if stop.wait(0.05):
                        raise InterruptedError
                if not _is(path, file):  # the process that held it has finished the blob and renamed its file
                    continue
                yield file
                return

    def finish(self, digest: str) -> None:
        """Give an unfinished file, whose hash fits, the blob's name. From then on no process may write it."""
        partial = self._partial(digest)
        partial.chmod(0o444)
        partial.replace(self.path(digest))

    def drop_unfinished(self, digest: str) -> None:
        """Remove the unfinished file of a blob; only for who holds it."""
        self._partial(digest).unlink(missing_ok=True)

    def _partial(self, digest: str) -> Path:
        return self.path(digest).with_suffix(_PARTIAL)


def _locked(file: FileIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is(path: Path, file: FileIO) -> bool:
    """Tell whether the path still names the open file."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def hash_file(path: Path) -> str:
    """Return the digest of a file's bytes, `sha256:` and 64 hexadecimal digits."""
    digest, buffer = sha256(), bytearray(BUFFER_BYTES)
    view = memoryview(buffer)
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            digest.update(view[:count])
    return f"sha256:{digest.hexdigest()}"
