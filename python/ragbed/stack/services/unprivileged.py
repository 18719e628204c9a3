"""Run a program that refuses root: in a user namespace, else as `nobody` on a private copy.

Postgres will not start as root. In a user namespace it believes to be user 1000, while its files stay root's.
Where namespaces are forbidden (many containers), it runs as `nobody`, which needs programs and data in folders
that `nobody` may enter: a copy below the folder for temporary files.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ragbed.errors import ServiceNotReady

_UNSHARE = ("unshare", "--user", "--map-user=1000", "--")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """How to run programs that refuse root.

    Attributes:
        programs: The folder of programs that this identity may run.
        data: The data folder that it may write.
        prefix: Words before the program.
        user: User id to switch to; None keeps ours.
    """

    programs: Path
    data: Path
    prefix: tuple[str, ...] = ()
    user: int | None = None


def without_root(programs: Path, data: Path) -> Identity:
    """Return how to run these programs on this data folder.

    Args:
        programs: The folder of programs.
        data: The data folder wanted.

    Raises:
        ServiceNotReady: We are root, and there is neither a user namespace nor a user `nobody`.
    """
    if os.geteuid() != 0:
        return Identity(programs=programs, data=data)
    if _namespaces_work():
        return Identity(programs=programs, data=data, prefix=_UNSHARE)
    try:
        nobody = pwd.getpwnam("nobody").pw_uid
    except KeyError:
        raise ServiceNotReady(
            "Postgres refuses to run as root, and this machine has neither user namespaces nor a user nobody",
            hint="run ragbed as an ordinary user",
        ) from None
    outside = Path(tempfile.gettempdir(), f"ragbed-{data.parent.name}-{data.name}")
    outside.mkdir(mode=0o700, exist_ok=True)
    os.chown(outside, nobody, -1)
    return Identity(programs=_reachable(programs), data=outside / "cluster", user=nobody)


@cache
def _namespaces_work() -> bool:
    try:
        return not subprocess.run([*_UNSHARE, "true"], capture_output=True, check=False).returncode
    except OSError:
        return False


def _reachable(programs: Path) -> Path:
    """Return a folder with these programs that any user may enter: itself, or a copy of its installation."""
    if all(parent.stat().st_mode & 0o001 for parent in (programs, *programs.parents)):
        return programs
    installation = programs.parents[2]  # site-packages: the wheel's libraries lie beside its package
    package = programs.relative_to(installation).parts[0]
    copy = Path(tempfile.mkdtemp(prefix="ragbed-programs-"))
    copy.chmod(0o755)
    for folder in installation.glob(f"{package}*"):
        if folder.is_dir() and not folder.name.endswith(".dist-info"):
            shutil.copytree(folder, copy / folder.name, symlinks=True)
    return copy / programs.relative_to(installation)
