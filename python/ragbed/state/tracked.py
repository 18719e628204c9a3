"""What git tracks of a state folder: a checkout brought it along, so it was not made here."""

from __future__ import annotations

import hashlib
import os
import subprocess
from functools import lru_cache
from typing import TYPE_CHECKING

from ragbed.state.files import is_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# The repository's own configuration may name programs; none of them is run to list what it tracks.
_GIT = ("git", "-c", "core.fsmonitor=false", "-c", "safe.directory=*", "--literal-pathspecs")


@lru_cache(maxsize=64)
def tracked_files(root: Path) -> Mapping[str, str]:
    """Return the digest of each file below a state folder that git tracks, by path from the folder on.

    Where git tracks the folder itself, as a link or as a submodule, its path is empty. Without a `.git` upwards, or
    without git, nothing is tracked. The answer is asked for once in a process.
    """
    if not any(os.path.lexists(parent / ".git") for parent in root.parents):
        return {}
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        answer = subprocess.run(
            [*_GIT, "-C", str(root.parent), "ls-files", "--stage", "-z", "--", root.name],
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
            env=environ,
        )
    except OSError:
        return {}
    lines = [line.partition(b"\t") for line in answer.stdout.split(b"\0") if line]
    return {
        os.fsdecode(path).removeprefix(root.name).removeprefix("/"): kind.split()[1].decode("ascii")
        for kind, _, path in lines
    }


def is_as_tracked(root: Path, name: str) -> bool:
    """Tell whether a file of a state folder is the one that git tracks, and not one that was written over it."""
    digest = tracked_files(root).get(name)
    if digest is None or not is_file(root / name):
        return False
    try:
        content = (root / name).read_bytes()
    except OSError:
        return False
    # git may have written the lines with the ends of another system.
    return digest in {_blob(content), _blob(content.replace(b"\r\n", b"\n"))}


def is_tracked_itself(root: Path) -> bool:
    """Tell whether a state folder is a link or a submodule that git tracks."""
    return "" in tracked_files(root) and (root.is_symlink() or os.path.lexists(root / ".git"))


def is_tracked_below(root: Path, name: str) -> bool:
    """Tell whether git tracks a file below a folder of a state folder, whether or not it is there."""
    return any(path.startswith(f"{name}/") for path in tracked_files(root))


def untracked(root: Path, name: str) -> str:
    """Return the name of a folder whose files a server loads: another one where git tracks a file of that folder."""
    while is_tracked_below(root, name):
        name = f"{name}-untracked"
    return name


def _blob(content: bytes) -> str:
    """Return the digest under which git stores a file."""
    return hashlib.sha1(b"blob %d\0%s" % (len(content), content), usedforsecurity=False).hexdigest()
