"""Files that are whole or not there: written beside and then renamed, read whatever lies there in their place."""

from __future__ import annotations

import json
import os
import secrets
import stat
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_MOST_BYTES = 4 * 2**20  # a record takes a few kilobytes
PRIVATE = 0o600
"""Permission bits of a file that only its owner reads."""
SHARED = 0o666
"""Permission bits of a file that others read as far as the umask lets them."""


def write_json(path: Path, value: Mapping[str, Any], *, mode: int = PRIVATE) -> None:
    """Write a JSON object as `write_atomically` does.

    Args:
        path: The file; its folder is there.
        value: The object.
        mode: Permission bits, before the umask.
    """
    write_atomically(path, json.dumps(value, indent=1), mode=mode)


def write_atomically(path: Path, content: str | bytes, *, mode: int = PRIVATE) -> None:
    """Write a file so that a reader sees the old one or the new one, never half of it, after a power failure too.

    Args:
        path: The file; its folder is there. What lies in its place, a link too, is replaced.
        content: The whole; text is written as UTF-8.
        mode: Permission bits, before the umask, from the first byte on.

    Raises:
        OSError: It cannot be written; the old file is untouched.
    """
    write_together({path: content}, mode=mode)


def write_together(contents: Mapping[Path, str | bytes], *, mode: int = PRIVATE) -> None:
    """Write several files as `write_atomically` does: none is renamed before all are written.

    Args:
        contents: The whole of each file.
        mode: Permission bits of each, before the umask.

    Raises:
        OSError: One cannot be written.
    """
    written: dict[Path, Path] = {}
    try:
        for path, content in contents.items():
            written[path] = beside = _beside(path)
            _write(beside, content.encode() if isinstance(content, str) else content, mode)
        for path, beside in written.items():
            beside.replace(path)
    except BaseException:
        for beside in written.values():
            beside.unlink(missing_ok=True)
        raise
    for folder in {path.parent for path in contents}:
        _sync_folder(folder)


def _beside(path: Path) -> Path:
    """Return the name of an unfinished file; it has the id of its writer, which a later process looks for."""
    return path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")


def _write(path: Path, content: bytes, mode: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Have the new names written to the disk."""
    with suppress(OSError):  # the files are in place; some file systems cannot sync a folder
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the JSON object of a file; None when there is no such file or it holds none.

    Links are not followed, and what is not a regular file of at most 4 MiB holds no object: a FIFO would block.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                return None
            content = file.read(_MOST_BYTES + 1)
        value = json.loads(content) if len(content) <= _MOST_BYTES else None
    except (OSError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def is_file(path: Path) -> bool:
    """Tell whether a path is a regular file itself, not a link to one."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def is_folder(path: Path) -> bool:
    """Tell whether a path is a folder itself, not a link to one."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def is_of_another_kind(path: Path, expected: Callable[[int], bool]) -> bool:
    """Tell whether something lies at a path and is of another kind than expected; links are not followed.

    One look: another process may make the file or folder at any moment.

    Args:
        path: The path.
        expected: A predicate on the bits of `st_mode`, as `stat` has them.
    """
    try:
        return not expected(path.lstat().st_mode)
    except OSError:
        return False
