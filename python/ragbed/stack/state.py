"""The state folder: `.ragbed/` of the checkout, where every file is written beside and then renamed."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import re
import secrets
import shlex
import shutil
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from ragbed.errors import ConfigurationError
from ragbed.project import FOLDER, project_folder
from ragbed.stack.identity import (
    ProjectIdentity,
    is_stamped_here,
    load_identity,
    why_not_believed,
    write_identity,
)
from ragbed.stack.json_files import is_file, is_folder
from ragbed.stack.tracked import is_tracked_below, is_tracked_itself, tracked_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

logger = logging.getLogger(__name__)

# What is believed and acted on, and so must have been made here. Blobs are checked by digest when a store is laid out;
# one that is laid out is served as it is. Reports are only read.
_BELIEVED = (
    "leases",
    "stack.json",
    "announced.json",
    "data",
    "kept",
    "cache",
    "logs",
    "qdrant",
    "models/stores",
)
_FILES = ("stack.json", "announced.json", ".gitignore")
_FOLDERS = ("leases", "data", "kept", "cache", "logs", "qdrant", "gaps", "runs")
_STACK = re.compile(r"[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class StateFolder:
    """Paths below one state folder.

    Attributes:
        root: The folder itself; made by `prepared`.
    """

    root: Path

    @property
    def stack_file(self) -> Path:
        """The record of the stack that `ragbed up` started."""
        return self.root / "stack.json"

    @property
    def announced_file(self) -> Path:
        """What somebody else started for this checkout, and said so."""
        return self.root / "announced.json"

    @property
    def leases(self) -> Path:
        """A file per process that we started."""
        return self.root / "leases"

    @property
    def data(self) -> Path:
        """Data of stacks that end with their stack, a folder each."""
        return self._untracked("data")

    @property
    def kept(self) -> Path:
        """Data that survives `ragbed down`, a folder per service."""
        return self._untracked("kept")

    @property
    def logs(self) -> Path:
        """The services' logs, a folder per stack."""
        return self.root / "logs"

    def log(self, stack: str, service: str) -> Path:
        """Return the file that a stack's service writes to."""
        return self.logs / stack / f"{service}.log"

    @property
    def cache(self) -> Path:
        """What costs time to make again: the Postgres template."""
        return self._untracked("cache")

    @property
    def gaps(self) -> Path:
        """Gap records and review pages, a folder per namespace."""
        return self.root / "gaps"

    @property
    def runs(self) -> Path:
        """Reports of the last runs."""
        return self.root / "runs"

    @property
    def models(self) -> Path:
        """Blobs of the pinned models, and the read-only folders laid out from them."""
        return self.root / "models"

    @property
    def qdrant(self) -> Path:
        """Collections of `ragbed qdrant serve` without `--data`."""
        return self._untracked("qdrant")

    def _untracked(self, name: str) -> Path:
        """Return a folder whose files a server loads: beside the one of that name, where git tracks a file of that."""
        while is_tracked_below(self.root, name):
            name = f"{name}-untracked"
        return self.root / name

    def prepared(self) -> StateFolder:
        """Make the folder, with the project's identity, and return it.

        What lies in it and was not made here is set aside first: renamed within the folder, and said.

        Raises:
            ConfigurationError: It cannot be made or written; says whose it is.
        """
        try:
            self._make_root()
            self._identify()
            self._set_aside(self._of_wrong_kind(), "a link, or of another kind than ours")
            for folder in (self.leases, self.data, self.logs, self.cache):
                folder.mkdir(exist_ok=True, mode=0o700)
            with tempfile.TemporaryFile(dir=self.root):
                pass
            ignore = self.root / ".gitignore"
            if not is_file(ignore):
                ignore.write_text("*\n", encoding="utf-8")
        except OSError as error:
            raise self.refused(error) from error
        return self

    def identity(self) -> ProjectIdentity | None:
        """Return the project's identity; None before `prepared` has made one here."""
        return load_identity(self.root)

    def project(self) -> ProjectIdentity:
        """Return the project's identity, made now where it has none: what is written to a store carries it.

        Raises:
            ConfigurationError: The folder cannot be made or written.
        """
        identity = self.identity() or self.prepared().identity()
        if identity is None:  # removed at this very moment
            raise ConfigurationError(f"{self.root} has no identity", hint="run the command again")
        return identity

    def is_believed(self) -> bool:
        """Tell whether what the folder says (leases, data, stack.json, announced.json) was written here.

        A folder that was copied, comes from another machine or is tracked by git is not believed: nothing in it is
        acted on until `prepared` has set it aside.
        """
        return self.identity() is not None

    def remove(self, path: Path) -> None:
        """Delete a folder below this one, whatever is in it. A link on the way there is not followed.

        Args:
            path: The folder; one that is elsewhere, is not a folder, or is reached through a link is left alone.
        """
        try:
            below = path.relative_to(self.root).parts
        except ValueError:
            return
        steps = [self.root.joinpath(*below[: n + 1]) for n in range(len(below))]
        if steps and ".." not in below and all(map(is_folder, steps)):
            shutil.rmtree(path, ignore_errors=True)

    def forget_stack(self) -> None:
        """Remove the record of the stack; what lies in its place and is not a file stays."""
        if is_file(self.stack_file):
            self.stack_file.unlink(missing_ok=True)

    def distrust(self) -> str:
        """Return why what the folder holds is not believed, in a sentence; empty where it is, or holds nothing."""
        if self.is_believed() or not self._present(_BELIEVED):
            return ""
        return (
            f"{self.root} was not made here ({why_not_believed(self.root)}): its stack, leases and data are left"
            " alone"
        )

    def is_believed_or_said(self) -> bool:
        """Tell whether what the folder says was written here, and say so where it was not."""
        if said := self.distrust():
            logger.warning("ragbed: %s", said)
        return self.is_believed()

    def _make_root(self) -> None:
        """Make the folder itself; a link or file of a checkout in its place is renamed."""
        if self.root.name == FOLDER and (is_tracked_itself(self.root) or not self._may_be_made()):
            beside = self.root.with_name(f"{FOLDER}.aside-{secrets.token_hex(3)}")
            with suppress(FileNotFoundError):  # another command was faster
                self.root.rename(beside)
                logger.warning("ragbed: %s was not made here: renamed to %s", self.root, beside.name)
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)

    def _may_be_made(self) -> bool:
        """Tell whether the folder is one or can become one; a link must lead to a state folder or an empty one."""
        if self.root.is_symlink():
            return self.root.is_dir() and (self.is_believed() or not any(self.root.iterdir()))
        return self.root.is_dir() or not os.path.lexists(self.root)

    def _identify(self) -> None:
        """Give the folder an identity, where it has none that can be believed; what it holds is set aside then."""
        if self.is_believed() and is_stamped_here(self.root):
            return
        with self.locked("identity"):
            identity = self.identity()
            if identity is None:
                self._refuse_others_folder()
                links = [name for name in ("models", "tools") if (self.root / name).is_symlink()]
                self._set_aside({*links, *_BELIEVED, *self._loaded()}, why_not_believed(self.root))
            if not is_file(self.root / "identity.json"):
                self._set_aside(self._present(["identity.json"]), "it is not a file")
            write_identity(self.root, identity, name=self._project_name())

    def _refuse_others_folder(self) -> None:
        """Refuse a folder named by RAGBED_STATE_DIR that has other files under our names, such as a home folder.

        Raises:
            ConfigurationError: It has a folder `data`, `logs` or so, and was never a state folder.
        """
        present = self._present(_BELIEVED)
        if self.root.name == FOLDER or "leases" in present or not set(present) - {"cache", "models/stores"}:
            return
        raise ConfigurationError(
            f"{self.root} is not a state folder, and has {' and '.join(present)} of its own",
            hint="set RAGBED_STATE_DIR to an empty folder",
        )

    def _project_name(self) -> str:
        if self.root.name == FOLDER:
            return self.root.parent.name
        try:
            return project_folder().name
        except (ConfigurationError, OSError):  # a folder of another user, or one that has gone
            return self.root.name

    def _present(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if os.path.lexists(self.root / name)]

    def _loaded(self) -> list[str]:
        """Return the folders whose files servers load."""
        return [path.name for path in (self.data, self.kept, self.cache, self.qdrant)]

    def _of_wrong_kind(self) -> list[str]:
        """Return entries that are links, FIFOs, or files where a folder belongs; models may be linked."""
        tracked = [name for name in ("models", "tools") if name in tracked_files(self.root)]
        odd_files = [name for name in _FILES if not is_file(self.root / name)]
        odd_folders = [
            name for name in {*_FOLDERS, *self._loaded(), *tracked} if not is_folder(self.root / name)
        ]
        return self._present([*odd_files, *odd_folders])

    def _set_aside(self, names: Iterable[str], reason: str) -> None:
        """Rename entries of the folder into a new folder of it, and say so."""
        names = self._present(sorted(names))
        if not names:
            return
        beside = Path(tempfile.mkdtemp(prefix="aside-", dir=self.root))
        for name in names:
            with suppress(FileNotFoundError):
                (self.root / name).rename(beside / name.replace("/", "-"))
        logger.warning(
            "ragbed: %s of %s is not believed (%s): set aside in %s",
            ", ".join(names),
            self.root,
            reason,
            beside.name,
        )

    def refused(self, error: OSError) -> ConfigurationError:
        """Return what to say when the system refuses a file here: whose folder it is, and what helps."""
        details = []
        existing = next(path for path in (self.root, *self.root.parents) if os.path.exists(path))  # noqa: PTH110 - False where we may not look
        owner = existing.stat().st_uid
        if owner != os.geteuid():
            details.append(f"{existing} belongs to user id {owner}, and you are {os.geteuid()}")
        hint = "set RAGBED_STATE_DIR to a folder of yours"
        if owner == 0 and os.geteuid() != 0:
            hint = f"it was made by root: `sudo chown -R $USER {shlex.quote(str(existing))}`, or {hint}"
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            hint = f"free some disk space below {existing}, or {hint}"
        return ConfigurationError(
            f"cannot write the state folder {self.root}: {error.strerror or error}",
            details=details,
            hint=hint,
        )

    def exists(self) -> bool:
        """Tell whether the folder is there.

        Raises:
            ConfigurationError: It, or a folder above it, may not be entered.
        """
        try:
            there = self.root.exists()
        except OSError as error:
            raise self.refused(error) from error
        if there and self.root.is_dir() and not os.access(self.root, os.R_OK | os.X_OK):
            raise self.refused(PermissionError(errno.EACCES, os.strerror(errno.EACCES)))
        return there

    @contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """Hold the lock of that name; a second holder waits. It ends with the process, however that ends."""
        with self._lock_file(name) as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield

    @contextmanager
    def locked_if_free(self, name: str) -> Iterator[bool]:
        """Hold the lock of that name if nobody does; yields whether it is held."""
        with self._lock_file(name) as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True

    def _lock_file(self, name: str) -> IO[bytes]:
        """Open the file of a lock. Never by a link, which would make a file elsewhere; a FIFO would block."""
        path = self.root / f"{name}.lock"
        try:
            if os.path.lexists(path) and not is_file(path):
                self._set_aside([path.name], "it is not a file")
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            return os.fdopen(os.open(path, flags, 0o600), "r+b", buffering=0)
        except OSError as error:
            raise self.refused(error) from error


def is_stack_id(name: str) -> bool:
    """Tell whether a name is one that a stack's folders have."""
    return _STACK.fullmatch(name) is not None


def stack_id(value: object) -> str:
    """Return a stack's id as it is read from a file: names of folders are made of it.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(value, str) or not is_stack_id(value):
        raise ValueError(f"{value!r} is not a stack's id")
    return value


def find_state_folder(environ: Mapping[str, str] | None = None) -> StateFolder:
    """Return the state folder: `RAGBED_STATE_DIR`, else `.ragbed` of the checkout, else of the current folder."""
    environ = os.environ if environ is None else environ
    if environ.get("RAGBED_STATE_DIR"):
        return StateFolder(Path(environ["RAGBED_STATE_DIR"]).expanduser().absolute())
    return StateFolder(project_folder(environ) / FOLDER)
