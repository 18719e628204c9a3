"""Run a program that refuses root: in a user namespace, else as `nobody` on a private copy.

Postgres will not start as root. In a user namespace it believes to be `nobody`, while its files stay root's.
Where namespaces are forbidden (many containers), it runs as `nobody`, which needs programs and data in folders
that `nobody` may enter: a copy below the folder for temporary files.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import re
import shutil
import stat
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ragbed.errors import ServiceNotReady

_OUTSIDE = re.compile(r"ragbed-[0-9a-f]{12}")
_INSTALLATIONS = ("site-packages", "dist-packages")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAs:
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


def without_root(programs: Path, data: Path) -> RunAs:
    """Return how to run these programs on this data folder.

    Args:
        programs: The folder of programs.
        data: The data folder wanted.

    Raises:
        ServiceNotReady: We are root, or a user that this machine does not know, and there is no way round it.
    """
    if os.geteuid() != 0 and _is_known(os.geteuid()):
        return RunAs(programs=programs, data=data)
    other = nobody()
    unshare = ("unshare", "--user", f"--map-user={other}", "--")
    if other is not None and _works(unshare):
        return RunAs(programs=programs, data=data, prefix=unshare)
    outside = outside_folder(data)
    if other is None or outside is None:
        reason = (
            "refuses to run as root" if outside else f"wants a name, which user id {os.geteuid()} has not"
        )
        raise ServiceNotReady(
            f"Postgres {reason}, and this machine has no user namespaces to give it another user",
            hint="run ragbed as an ordinary user that /etc/passwd names",
        )
    _own(outside, other)
    return RunAs(programs=_reachable(programs, outside), data=outside / "cluster", user=other)


def outside_folder(data: Path) -> Path | None:
    """Return where data and programs go when they must lie outside root's folders; None when we are not root.

    The name follows from the data folder, so that a lease can tell it before anything is there.
    """
    if os.geteuid() != 0:
        return None
    name = hashlib.sha256(os.fsencode(data.absolute())).hexdigest()[:12]
    return Path(tempfile.gettempdir(), f"ragbed-{name}")


def remove_outside(folder: Path) -> None:
    """Delete a folder that `outside_folder` named; any other, and a link in its place, is left alone."""
    if (
        os.geteuid() != 0
        or folder.parent != Path(tempfile.gettempdir())
        or not _OUTSIDE.fullmatch(folder.name)
    ):
        return
    with suppress(OSError):
        status = folder.lstat()
        if stat.S_ISDIR(status.st_mode) and status.st_uid in {0, nobody()}:
            shutil.rmtree(folder, ignore_errors=True)


def _is_known(user: int) -> bool:
    try:
        pwd.getpwuid(user)
    except KeyError:
        return False
    return True


@cache
def nobody() -> int | None:
    """Return a user other than root that this machine knows: initdb wants a name for who it runs as."""
    users = {user.pw_name: user.pw_uid for user in pwd.getpwall() if user.pw_uid != 0}
    return users.get("nobody", next(iter(users.values()), None))


@cache
def _works(prefix: tuple[str, ...]) -> bool:
    try:
        return not subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode
    except OSError:
        return False


def _own(outside: Path, user: int) -> None:
    """Make the folder, or take over one that an earlier start left.

    Raises:
        ServiceNotReady: Another user put something there: its name can be guessed, and every user may write beside it.
    """
    outside.mkdir(mode=0o700, exist_ok=True)
    status = outside.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in {0, user}:
        raise ServiceNotReady(
            f"{outside}, where Postgres has to run, belongs to user id {status.st_uid}",
            hint=f"remove {outside}, or set TMPDIR to a folder of yours",
        )
    os.chown(outside, user, -1, follow_symlinks=False)


def _reachable(programs: Path, outside: Path) -> Path:
    """Return a folder with these programs that any user may enter: itself, or a copy of its installation."""
    if all(parent.stat().st_mode & 0o001 for parent in (programs, *programs.parents)):
        return programs
    # A wheel's libraries lie beside its package; anything else is taken to be a folder of its own.
    sites = [parent for parent in programs.parents if parent.name in _INSTALLATIONS]
    installation = sites[0] if sites else programs.parents[1]
    package = programs.relative_to(installation).parts[0]
    wanted = [
        folder
        for folder in installation.glob(f"{package}*" if sites else package)
        if folder.is_dir() and not folder.name.endswith(".dist-info")
    ]
    copy = outside / "programs"
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir(mode=0o755)
    subprocess.run(["cp", "-a", *map(str, wanted), str(copy)], check=True, capture_output=True)
    return copy / programs.relative_to(installation)
