"""Whether the developer's own file, `ragbed.local.toml`, is the developer's own: a checkout may bring one along."""

from __future__ import annotations

import os
import stat
import subprocess
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# The repository's configuration may name a program for this question; it is not run.
_GIT = ("git", "-c", "core.fsmonitor=false", "-c", "safe.directory=*", "--literal-pathspecs")


def why_not_the_users(path: Path) -> str:
    """Return why a file does not speak for this user, in words; empty where it does, or where there is none.

    Args:
        path: The file.
    """
    try:
        entry, file = path.lstat(), path.stat()
    except FileNotFoundError:
        return ""
    except OSError as error:
        return error.strerror or "it cannot be looked at"
    if {entry.st_uid, file.st_uid} != {os.geteuid()}:
        return f"it belongs to user id {file.st_uid if file.st_uid != os.geteuid() else entry.st_uid}"
    if not stat.S_ISREG(file.st_mode):
        return "it is not a file"
    group = file.st_mode & stat.S_IWGRP and file.st_gid != os.getegid()
    if file.st_mode & stat.S_IWOTH or group:
        return "others may write to it"
    return _git_says(path.parent.absolute(), path.name, os.environ.get("PATH", ""))


def how_to_make_it_theirs(path: Path, reason: str) -> str:
    """Return what to type so that a file is believed.

    Args:
        path: The file.
        reason: What `why_not_the_users` said.
    """
    if "git" in reason:
        return f"git rm --cached {path.name}"
    return f"chmod go-w {path.name}" if "write" in reason else f"write {path.name} yourself"


@lru_cache(maxsize=32)
def _git_says(folder: Path, name: str, path: str) -> str:
    """Return why git's word makes a file somebody else's; asked once in a process, for each PATH."""
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
