"""What a machine lacks, read off an error: memory, descriptors, permission. It passes; damage does not.

The engine raises bare `Exception`s, and panics, so its errors are told apart by the system's error number in them.
"""

from __future__ import annotations

import errno
import mmap
import os
import re
from contextlib import ExitStack
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LACKS: dict[int, str] = {
    errno.ENOMEM: "memory",
    errno.EMFILE: "file descriptors, of which this process may have no more (`ulimit -n`)",
    errno.ENFILE: "file descriptors, of which the machine may have no more",
    errno.ENOSPC: "room on the disk",
    errno.EDQUOT: "room on the disk, within this user's quota",
    errno.EFBIG: "room in a file, whose size is limited (`ulimit -f`)",
    errno.EROFS: "a disk that can be written: it is mounted read-only",
    errno.EACCES: "permission to use its files",
    errno.EPERM: "permission to use its files",
    errno.EIO: "a disk that answers",
    errno.ESTALE: "a disk that answers",
    errno.ENODEV: "a disk that answers",
    errno.ENXIO: "a disk that answers",
    errno.ETIMEDOUT: "a disk that answers",
    errno.EAGAIN: "threads, or a lock that another process holds",
    errno.EBUSY: "a file that another process holds",
    errno.ETXTBSY: "a file that another process holds",
    errno.ENOLCK: "locks on files",
    errno.EINTR: "time: the system interrupted it",
}
"""What the machine lacks, by the system's error number."""

DISK_FULL = (LACKS[errno.ENOSPC], LACKS[errno.EDQUOT])
"""What of it is room on the disk."""

NUMBER = re.compile(r"\(os error (\d+)\)|\bcode: (\d+), kind:")
"""The system's error number in a message of the engine, and in one of its panics."""

WORDS = {
    "memory allocation": errno.ENOMEM,
    "out of memory": errno.ENOMEM,
    "outofmemory": errno.ENOMEM,
    "capacity overflow": errno.ENOMEM,
    "cannot allocate memory": errno.ENOMEM,
    "too many open files": errno.EMFILE,
    "no space left on device": errno.ENOSPC,
    "storagefull": errno.ENOSPC,
    "read-only file system": errno.EROFS,
    "permission denied": errno.EACCES,
    "failed to spawn": errno.EAGAIN,
    "resource temporarily unavailable": errno.EAGAIN,
    "wouldblock": errno.EAGAIN,
    "input/output error": errno.EIO,
    "interrupted system call": errno.EINTR,
}
"""The same in words, where a message has no number."""

PROBE_BYTES = 256 * 1024 * 1024
PROBE_FILES = 64


def lack(error: BaseException) -> str | None:
    """Say what an error tells that the machine lacks; None where it tells of something else."""
    if isinstance(error, MemoryError):
        return LACKS[errno.ENOMEM]
    if isinstance(error, OSError):
        return LACKS.get(error.errno or 0)
    told = str(error)
    if numbers := [int(first or second) for first, second in NUMBER.findall(told)]:
        return next((LACKS[number] for number in numbers if number in LACKS), None)
    low = told.lower()
    return next((LACKS[number] for words, number in WORDS.items() if words in low), None)


def lacking_for(folder: Path) -> str | None:
    """Try what opening a collection takes; say what the machine lacks for it, None where there is all.

    Args:
        folder: The collection's files. None of them is changed.
    """
    try:
        with mmap.mmap(-1, PROBE_BYTES), ExitStack() as opened:
            for _ in range(PROBE_FILES):
                opened.callback(os.close, os.open(os.devnull, os.O_RDONLY))
        for parent, _, names in os.walk(folder, onerror=_raise):
            for name in names:
                os.close(os.open(os.path.join(parent, name), os.O_RDWR))  # noqa: PTH118  # many of them
    except (OSError, MemoryError) as error:
        return lack(error)
    return None


def _raise(error: OSError) -> None:
    raise error
