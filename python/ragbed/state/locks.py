"""Locks of the state folder: files held by `flock`, which end with the process that holds them."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from ragbed.state.aside import set_aside
from ragbed.state.files import is_file
from ragbed.state.refusal import refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def locked(root: Path, name: str) -> Iterator[None]:
    """Hold the lock of that name; a second holder waits. It ends with the process, however that ends.

    Args:
        root: The state folder.
        name: What is locked; the file is `NAME.lock`.

    Raises:
        ConfigurationError: The file cannot be made or opened.
    """
    with _lock_file(root, name) as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


@contextmanager
def locked_if_free(root: Path, name: str) -> Iterator[bool]:
    """Hold the lock of that name unless another process holds it; yields whether it is held.

    Args:
        root: The state folder.
        name: What is locked; the file is `NAME.lock`.

    Raises:
        ConfigurationError: The file cannot be made or opened.
    """
    with _lock_file(root, name) as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _lock_file(root: Path, name: str) -> IO[bytes]:
    """Open the file of a lock. Never by a link, which would make a file elsewhere; a FIFO would block."""
    path = root / f"{name}.lock"
    try:
        if os.path.lexists(path) and not is_file(path):
            set_aside(root, [path.name], "it is not a file")
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.fdopen(os.open(path, flags, 0o600), "r+b", buffering=0)
    except OSError as error:
        raise refused(root, error) from error
