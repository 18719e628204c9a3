"""What a run's result may depend on and no setting says: the source's state, the machine, installed packages."""

from __future__ import annotations

import hashlib
import locale
import os
import platform
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from pathlib import Path

# The repository's own configuration may name programs: git is asked without them.
_GIT = ("git", "--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "safe.directory=*")
_LONGEST_S = 0.5
"""A run does not wait longer for git: on a huge checkout, whether it is dirty stays unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GitState:
    """Which source a run was made on.

    Attributes:
        commit: Full hash; empty outside of a repository.
        branch: Name; empty for a detached head.
        dirty: Whether tracked files differ from the commit; None where git did not say so in time.
    """

    commit: str = ""
    branch: str = ""
    dirty: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What a run was made on.

    Attributes:
        system: Operating system and release.
        architecture: `x86_64`, `arm64`.
        cpus: Processors that this process may use.
        memory_bytes: Of the machine.
        python: Version of the interpreter.
    """

    system: str
    architecture: str
    cpus: int
    memory_bytes: int
    python: str

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return asdict(self)


def git_state(folder: Path) -> GitState:
    """Return the state of the repository that a folder lies in; untracked files do not count."""
    if not any(os.path.lexists(parent / ".git") for parent in (folder, *folder.parents)):
        return GitState()  # without asking a program
    lines = _git(folder, "status", "--porcelain=v2", "--branch", "--untracked-files=no")
    if lines is None:
        hashes = _git(folder, "rev-parse", "HEAD")
        return GitState(commit=hashes[0] if hashes else "")
    head = dict(line[2:].split(" ", 1) for line in lines if line.startswith("# branch."))
    commit, branch = head.get("branch.oid", ""), head.get("branch.head", "")
    return GitState(
        commit="" if commit == "(initial)" else commit,
        branch="" if branch == "(detached)" else branch,
        dirty=any(not line.startswith("#") for line in lines),
    )


def _git(folder: Path, *words: str) -> list[str] | None:
    """Return the lines that git prints; None where it fails or takes too long."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        answer = subprocess.run(
            [*_GIT, "-C", str(folder), *words],
            capture_output=True,
            check=True,
            env=environ,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            timeout=_LONGEST_S,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.splitlines()


def this_machine() -> Machine:
    """Return what this process runs on."""
    return Machine(
        system=f"{platform.system()} {platform.release()}",
        architecture=platform.machine(),
        cpus=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_bytes=psutil.virtual_memory().total,
        python=platform.python_version(),
    )


def installed_packages() -> tuple[str, ...]:
    """Return the installed packages as `name-version`, sorted; from the folders' names, which costs next to nothing."""
    return tuple(
        sorted(
            {
                name.removesuffix(".dist-info")
                for folder in sys.path
                if os.path.isdir(folder)  # noqa: PTH112 - entries may be anything
                for name in os.listdir(folder)  # noqa: PTH208 - names only
                if name.endswith(".dist-info")
            }
        )
    )


def digest_of(lines: tuple[str, ...]) -> str:
    """Return `sha256:` and the digest of lines, each ended by a line break."""
    content = "".join(line + "\n" for line in lines)
    return f"sha256:{hashlib.sha256(content.encode()).hexdigest()}"


def time_zone() -> str:
    """Return the zone that local times are shown in: `TZ`, else the system's, by its name and offset."""
    return os.environ.get("TZ") or time.strftime("%Z %z")


def locale_name() -> str:
    """Return the locale that the environment asks for, such as `en_US.UTF-8`; `C` where it names none."""
    return next(
        (os.environ[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if os.environ.get(name)),
        locale.setlocale(locale.LC_CTYPE),
    )
