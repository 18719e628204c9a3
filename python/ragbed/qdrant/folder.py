"""The data folder on disk: who owns it, and copies of what is in it."""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ragbed.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCK = ".lock"
COPY_BYTES = 4 * 1024 * 1024


@contextmanager
def owned(folder: Path) -> Iterator[None]:
    """Hold a data folder for this process alone.

    The lock ends with the process, however it ends, so a killed server leaves nothing to clear.

    Args:
        folder: Created when missing.

    Raises:
        ConfigurationError: Another process holds the folder, or it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigurationError(f"cannot use the data folder {folder}: {error.strerror}") from error
    try:
        _lock(descriptor, folder)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        owner = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
        raise ConfigurationError(
            f"the data folder {folder} is in use by another server (process {owner})"
        ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)


def sync_tree(folder: Path) -> None:
    """Have a shard's segments written to the disk; files that go away meanwhile are passed over."""
    for parent, _, names in os.walk(folder / "segments"):
        for name in names:
            with suppress(FileNotFoundError), open(os.path.join(parent, name), "rb") as file:  # noqa: PTH118, PTH123  # called often
                os.fsync(file.fileno())


def copy_tree(source: Path, target: Path) -> None:
    """Copy a folder, holes as holes: the engine's files are mostly reserved space.

    Raises:
        OSError: The copy could not be written; a part of it may be there.
    """
    for parent, _, names in os.walk(source):
        beside = target / Path(parent).relative_to(source)
        beside.mkdir(parents=True, exist_ok=True)
        for name in names:
            _copy_file(Path(parent, name), beside / name)


def _copy_file(source: Path, target: Path) -> None:
    with source.open("rb", buffering=0) as old, target.open("wb") as new:
        size = os.fstat(old.fileno()).st_size
        for start, end in _extents(old.fileno(), size):
            old.seek(start)
            new.seek(start)
            while (left := end - old.tell()) > 0 and (part := old.read(min(left, COPY_BYTES))):
                new.write(part)
        new.truncate(size)


def data_end(descriptor: int) -> int:
    """Return where a file's data end; behind that, it is a hole."""
    return max((end for _, end in _extents(descriptor, os.fstat(descriptor).st_size)), default=0)


def _extents(descriptor: int, size: int) -> Iterator[tuple[int, int]]:
    """Return the parts of a file that hold data, each as start and end."""
    end = 0
    while end < size:
        try:
            start = os.lseek(descriptor, end, os.SEEK_DATA)
        except OSError as error:
            if error.errno != errno.ENXIO:  # a file system that knows no holes
                yield end, size
            return  # else nothing but a hole is left
        end = os.lseek(descriptor, start, os.SEEK_HOLE)
        yield start, end
