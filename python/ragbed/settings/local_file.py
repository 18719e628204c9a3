"""Whether the developer's own file, `ragbed.local.toml`, is the developer's own: a checkout may bring one along."""

from __future__ import annotations

import os
import stat
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# The repository's configuration may name a program for this question; it is not run.
_GIT = ("git", "-c", "core.fsmonitor=false", "-c", "safe.directory=*", "--literal-pathspecs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Why a developer's own file does not speak for this user.

    Attributes:
        reason: In words, to follow the file's name.
        remedy: What to type so that it does.
    """

    reason: str
    remedy: str


def why_not_the_users(path: Path) -> Doubt | None:
    """Return why a file does not speak for this user; None where it does, or where there is none.

    Args:
        path: The file.
    """
    try:
        entry, file = path.lstat(), path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        return Doubt(reason=error.strerror or "it cannot be looked at", remedy=f"write {path.name} yourself")
    if reason := _why_anothers(entry, file):
        return Doubt(reason=reason, remedy=f"write {path.name} yourself")
    group = file.st_mode & stat.S_IWGRP and file.st_gid != os.getegid()
    if file.st_mode & stat.S_IWOTH or group:
        return Doubt(reason="others may write to it", remedy=f"chmod go-w {path.name}")
    reason = _git_says(path.parent.absolute(), path.name, os.environ.get("PATH", ""))
    return Doubt(reason=reason, remedy=f"git rm --cached {path.name}") if reason else None


def _why_anothers(entry: os.stat_result, file: os.stat_result) -> str:
    """Return why an entry of a folder is not a file of this user's, in words; empty where it is."""
    if {entry.st_uid, file.st_uid} != {os.geteuid()}:
        return f"it belongs to user id {file.st_uid if file.st_uid != os.geteuid() else entry.st_uid}"
    return "" if stat.S_ISREG(file.st_mode) else "it is not a file"


@lru_cache(maxsize=32)
def _git_says(folder: Path, name: str, path: str) -> str:
    """Return why git's word makes a file another user's; asked once in a process, for each PATH."""
    del path
    if not any(os.path.lexists(parent / ".git") for parent in (folder, *folder.parents)):
        return ""
    environ = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    try:
        answer = subprocess.run(
            [*_GIT, "-C", str(folder), "ls-files", "-z", "--", name],
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**environ, "LC_ALL": "C"},
        )
    except OSError:
        return "there is no git to tell whether it tracks it"
    if answer.stdout:
        return "git tracks it"
    unknown = answer.returncode and b"not a git repository" not in answer.stderr
    return "git does not tell whether it tracks it" if unknown else ""
