"""The state folder: `.ragbed/` of the checkout, where every file is written beside and then renamed."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shlex
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import psutil

from ragbed.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FOLDER = ".ragbed"
_MARKS = ("stack.toml", "ragbed.toml", ".git")


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
        return self.root / "data"

    @property
    def kept(self) -> Path:
        """Data that survives `ragbed down`, a folder per service."""
        return self.root / "kept"

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
        return self.root / "cache"

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

    def prepared(self) -> StateFolder:
        """Make the folder and return it.

        Raises:
            ConfigurationError: It cannot be made or written; says whose it is.
        """
        try:
            for folder in (self.root, self.leases, self.data, self.logs, self.cache):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.TemporaryFile(dir=self.root):
                pass
            ignore = self.root / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n", encoding="utf-8")
        except OSError as error:
            raise self.refused(error) from error
        return self

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
            ConfigurationError: A folder above it may not be entered.
        """
        try:
            return self.root.exists()
        except OSError as error:
            raise self.refused(error) from error

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

    def _lock_file(self, name: str) -> TextIO:
        try:
            return (self.root / f"{name}.lock").open("a")
        except OSError as error:
            raise self.refused(error) from error


def find_state_folder(environ: Mapping[str, str] | None = None) -> StateFolder:
    """Return the state folder: `RAGBED_STATE_DIR`, else `.ragbed` of the checkout, else of the current folder."""
    environ = os.environ if environ is None else environ
    if environ.get("RAGBED_STATE_DIR"):
        return StateFolder(Path(environ["RAGBED_STATE_DIR"]).expanduser().absolute())
    return StateFolder(project_folder(environ) / FOLDER)


def project_folder(environ: Mapping[str, str] | None = None) -> Path:
    """Return the checkout: `RAGBED_ROOT`, else the nearest folder upwards that looks like one, else this one."""
    environ = os.environ if environ is None else environ
    if environ.get("RAGBED_ROOT"):
        return Path(environ["RAGBED_ROOT"]).absolute()
    here = Path.cwd()
    return next((path for path in (here, *here.parents) if any((path / m).exists() for m in _MARKS)), here)


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
        if writer.isdigit() and not psutil.pid_exists(int(writer)):
            path.unlink(missing_ok=True)


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the JSON object of a file; None when there is no such file or it holds none."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return value if isinstance(value, dict) else None
