"""The project's identity: made once, kept in its state folder, and what tells whether that folder was made here.

A copy of a folder is another project, and so is a folder that a checkout brought along or that comes from another
machine: each gets an identity of its own. A folder that was moved on its machine keeps the one it has.
"""

from __future__ import annotations

import re
import secrets
import sys
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any
from uuid import getnode

from ragbed.state.files import read_json, write_json
from ragbed.state.tracked import is_as_tracked, is_tracked_itself

FILE = "identity.json"
SCHEMA = 1
_ID = re.compile(r"[0-9a-f]{16}")
_NAME_LENGTH = 80
_MACHINE_FILES = ("/etc/machine-id", "/var/lib/dbus/machine-id")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectIdentity:
    """Which project a state folder is of.

    Attributes:
        id: 16 hexadecimal digits, drawn at random; it outlives `down` and `reset`.
        name: The project folder's name, for people; two projects may have the same.
    """

    id: str
    name: str

    def to_json(self) -> dict[str, str]:
        """Return the fields as JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stamp:
    """Where a state folder is.

    Attributes:
        machine: The machine's id; empty where it has none (many containers).
        path: The folder without links.
        inode: Its inode number: a move keeps it, a copy has another.
        device: The device of that number; containers and some file systems get another at every mount.
    """

    machine: str
    path: str
    inode: int
    device: int

    @classmethod
    def of(cls, root: Path) -> _Stamp:
        status = root.stat()
        return cls(machine=_machine(), path=str(root.resolve()), inode=status.st_ino, device=status.st_dev)

    def difference(self, here: _Stamp) -> str:
        """Return why a folder stamped so was not made here, in words; empty where it was."""
        same_path = self.path == here.path
        same_inode = self.inode == here.inode and (same_path or self.device == here.device)
        if self.machine and here.machine:
            if self.machine != here.machine:
                return "it was made on another machine"
            return "" if same_path or same_inode else f"it is a copy of {self.path}"
        # Paths such as /app are the same in all containers: without a machine's id they prove nothing.
        return "" if same_inode else "it is a copy, or was made on another machine"


def load_identity(root: Path) -> ProjectIdentity | None:
    """Return the identity of a state folder that was made here; None where it has none that can be believed."""
    return None if why_not_believed(root) else _read(root)


def why_not_believed(root: Path) -> str:
    """Return why what a state folder holds is not believed, in words; empty where it is.

    Args:
        root: The state folder; one that is not there is not believed either.
    """
    if is_tracked_itself(root) or is_as_tracked(root, FILE):
        return "git tracks it"
    value = read_json(root / FILE)
    identity, stamp = _read(root), _stamp(value)
    if identity is None or stamp is None:
        return "it has no identity"
    try:
        return stamp.difference(_Stamp.of(root))
    except OSError as error:
        return error.strerror or "it cannot be read"


def write_identity(root: Path, identity: ProjectIdentity | None, *, name: str) -> ProjectIdentity:
    """Stamp a state folder with where it is now, and return its identity. Call it with the folder's lock held.

    Args:
        root: The state folder.
        identity: The one it has; None draws a new one.
        name: The project's name, for people.
    """
    identity = ProjectIdentity(id=identity.id if identity else secrets.token_hex(8), name=_printable(name))
    value = {"schema": SCHEMA, **identity.to_json(), "made_at": asdict(_Stamp.of(root))}
    if read_json(root / FILE) != value:
        write_json(root / FILE, value)
    return identity


def is_stamped_here(root: Path) -> bool:
    """Tell whether the stamp says exactly where the folder is: False after a move or a mount."""
    return _stamp(read_json(root / FILE)) == _Stamp.of(root)


def _read(root: Path) -> ProjectIdentity | None:
    value = read_json(root / FILE) or {}
    number, name = value.get("id"), value.get("name")
    if value.get("schema") != SCHEMA or not isinstance(name, str):
        return None
    if not isinstance(number, str) or not _ID.fullmatch(number):
        return None
    return ProjectIdentity(id=number, name=_printable(name))


def _stamp(value: dict[str, Any] | None) -> _Stamp | None:
    made_at = (value or {}).get("made_at")
    try:
        stamp = _Stamp(**made_at) if isinstance(made_at, dict) else None
    except TypeError:
        return None
    return stamp


def _printable(name: str) -> str:
    """Return a folder's name as it can be shown and stored anywhere."""
    return "".join(sign if sign.isprintable() else "?" for sign in name)[:_NAME_LENGTH] or "project"


@cache
def _machine() -> str:
    """Return what tells this machine from others; empty where nothing does."""
    if sys.platform == "darwin":
        number = getnode()
        return "" if number >> 40 & 1 else f"{number:012x}"  # that bit marks a number made up for want of one
    for path in _MACHINE_FILES:
        try:
            number = Path(path).read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            continue
        if re.fullmatch(r"[0-9a-f]{32}", number):
            return number
    return ""
