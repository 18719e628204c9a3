"""The state folder: `.ragbed/` of the checkout, where every file is written beside and then renamed."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ragbed.errors import ConfigurationError
from ragbed.project import FOLDER, project_folder
from ragbed.state.admission import BELIEVED, admit
from ragbed.state.aside import present
from ragbed.state.files import is_file, is_folder
from ragbed.state.identity import ProjectIdentity, load_identity, why_not_believed
from ragbed.state.locks import locked, locked_if_free
from ragbed.state.refusal import refused
from ragbed.state.tracked import untracked

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

logger = logging.getLogger(__name__)


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
        """What another program started for this checkout, and announced."""
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

    @property
    def snapshots(self) -> Path:
        """Named copies of the stores, a folder each."""
        return self._untracked("snapshots")

    def _untracked(self, name: str) -> Path:
        """Return a folder whose files a server loads."""
        return self.root / untracked(self.root, name)

    def prepared(self) -> StateFolder:
        """Make the folder, with the project's identity, and return it.

        What lies in it and was not made here is set aside first: renamed within the folder, and said.

        Raises:
            ConfigurationError: It cannot be made or written; says whose it is.
        """
        try:
            admit(self.root)
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
        if self.is_believed() or not present(self.root, BELIEVED):
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

    def refused(self, error: OSError) -> ConfigurationError:
        """Return what to say when the system refuses a file here: whose folder it is, and what helps."""
        return refused(self.root, error)

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

    def locked(self, name: str) -> AbstractContextManager[None]:
        """Hold the lock of that name; a second holder waits. It ends with the process, however that ends."""
        return locked(self.root, name)

    def locked_if_free(self, name: str) -> AbstractContextManager[bool]:
        """Hold the lock of that name unless another process holds it; yields whether it is held."""
        return locked_if_free(self.root, name)


def find_state_folder(environ: Mapping[str, str] | None = None) -> StateFolder:
    """Return the state folder: `RAGBED_STATE_DIR`, else `.ragbed` of the checkout, else of the current folder."""
    environ = os.environ if environ is None else environ
    if environ.get("RAGBED_STATE_DIR"):
        return StateFolder(Path(environ["RAGBED_STATE_DIR"]).expanduser().absolute())
    return StateFolder(project_folder(environ) / FOLDER)
