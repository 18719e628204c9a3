"""Making a state folder ours: the folder itself, its identity, and what in it was not made here set aside."""

from __future__ import annotations

import logging
import os
import secrets
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from ragbed.errors import ConfigurationError
from ragbed.project import FOLDER, project_folder
from ragbed.state.aside import present, set_aside
from ragbed.state.files import is_file, is_of_another_kind
from ragbed.state.identity import is_stamped_here, load_identity, why_not_believed, write_identity
from ragbed.state.locks import locked
from ragbed.state.tracked import is_tracked_itself, tracked_files, untracked

if TYPE_CHECKING:
    from pathlib import Path

logger = logging.getLogger(__name__)

# What is believed and acted on, and so must have been made here. Blobs are checked by digest when a store is laid out;
# one that is laid out is served as it is. Reports are only read.
BELIEVED = (
    "leases",
    "stack.json",
    "announced.json",
    "data",
    "kept",
    "cache",
    "logs",
    "qdrant",
    "snapshots",
    "models/stores",
)
_FILES = ("stack.json", "announced.json", ".gitignore")
_FOLDERS = ("leases", "data", "kept", "cache", "logs", "qdrant", "snapshots", "gaps", "runs")
_LOADED = ("data", "kept", "cache", "qdrant", "snapshots")  # servers load their files


def admit(root: Path) -> None:
    """Make the folder with its identity, and set aside what lies in it and was not made here.

    Raises:
        ConfigurationError: RAGBED_STATE_DIR names a folder of other things.
        OSError: The system refuses a file.
    """
    _make(root)
    _identify(root)
    set_aside(root, _of_wrong_kind(root), "a link, or of another kind than ours")


def _make(root: Path) -> None:
    """Make the folder itself; a link or file of a checkout in its place is renamed."""
    if root.name == FOLDER and (is_tracked_itself(root) or not _may_be_made(root)):
        beside = root.with_name(f"{FOLDER}.aside-{secrets.token_hex(3)}")
        with suppress(FileNotFoundError):  # another command was faster
            root.rename(beside)
            logger.warning("ragbed: %s was not made here: renamed to %s", root, beside.name)
    root.mkdir(parents=True, exist_ok=True, mode=0o700)


def _may_be_made(root: Path) -> bool:
    """Tell whether the folder is one or can become one; a link must lead to a state folder or an empty one."""
    if root.is_symlink():
        return root.is_dir() and (load_identity(root) is not None or not any(root.iterdir()))
    return root.is_dir() or not os.path.lexists(root)


def _identify(root: Path) -> None:
    """Give the folder an identity, where it has none that can be believed; what it holds is set aside then."""
    if load_identity(root) is not None and is_stamped_here(root):
        return
    with locked(root, "identity"):
        identity = load_identity(root)
        if identity is None:
            _refuse_others_folder(root)
            links = [name for name in ("models", "tools") if (root / name).is_symlink()]
            set_aside(root, {*links, *BELIEVED, *_loaded(root)}, why_not_believed(root))
        if not is_file(root / "identity.json"):
            set_aside(root, ["identity.json"], "it is not a file")
        write_identity(root, identity, name=_project_name(root))


def _refuse_others_folder(root: Path) -> None:
    """Refuse a folder named by RAGBED_STATE_DIR that has other files under our names, such as a home folder.

    Raises:
        ConfigurationError: It has a folder `data`, `logs` or so, and was never a state folder.
    """
    names = present(root, BELIEVED)
    if root.name == FOLDER or "leases" in names or not set(names) - {"cache", "models/stores"}:
        return
    raise ConfigurationError(
        f"{root} is not a state folder, and has {' and '.join(names)} of its own",
        hint="set RAGBED_STATE_DIR to an empty folder",
    )


def _project_name(root: Path) -> str:
    if root.name == FOLDER:
        return root.parent.name
    try:
        return project_folder().name
    except (ConfigurationError, OSError):  # a folder of another user, or one that has gone
        return root.name


def _loaded(root: Path) -> list[str]:
    """Return the names of the folders whose files servers load."""
    return [untracked(root, name) for name in _LOADED]


def _of_wrong_kind(root: Path) -> list[str]:
    """Return entries that are links, FIFOs, or files where a folder belongs; models may be linked."""
    tracked = [name for name in ("models", "tools") if name in tracked_files(root)]
    folders = {*_FOLDERS, *_loaded(root), *tracked}
    odd_files = [name for name in _FILES if is_of_another_kind(root / name, stat.S_ISREG)]
    return [*odd_files, *(name for name in folders if is_of_another_kind(root / name, stat.S_ISDIR))]
