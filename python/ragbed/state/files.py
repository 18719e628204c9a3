"""Small JSON files of the state folder: written beside and then renamed, read whatever lies there in their place."""

from __future__ import annotations

import json
import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST_BYTES = 4 * 2**20  # a record takes a few kilobytes


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write JSON so that a reader sees the old file or the new one, never half of it."""
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.{os.getpid()}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(value, file, indent=1)
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def forget_unfinished(folder: Path) -> None:
    """Remove what `write_json` left beside its files where the process that wrote was killed."""
    for path in folder.glob(".*.json.*"):
        writer = path.name.rpartition(".")[0].rpartition(".")[2]
        if writer.isdecimal() and len(writer) < 10 and not psutil.pid_exists(int(writer)) and is_file(path):
            path.unlink(missing_ok=True)


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
