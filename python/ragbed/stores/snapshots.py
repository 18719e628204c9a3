"""Named snapshots of all stores together, a folder each below the state folder."""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragbed.errors import UsageError
from ragbed.events import SILENT
from ragbed.state.files import read_json, write_json
from ragbed.stores.port import SnapshotRef

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ragbed.events import EventSink
    from ragbed.guard.data_class import DataClass
    from ragbed.state import StateFolder
    from ragbed.stores.port import IsolatedStore

SCHEMA = "ragbed.snapshot/1"

_MANIFEST = "snapshot.json"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)
_UNFINISHED = ".unfinished-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Copies of several stores under one name.

    Attributes:
        name: Letters, digits, dots, underscores and hyphens.
        taken_at: UTC, when it was finished.
        stores: A copy each.
    """

    name: str
    taken_at: datetime
    stores: tuple[SnapshotRef, ...]

    @property
    def size_bytes(self) -> int:
        """Return the size of all copies."""
        return sum(ref.size_bytes for ref in self.stores)

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return {
            "schema": SCHEMA,
            "name": self.name,
            "taken_at": self.taken_at.isoformat(),
            "size_bytes": self.size_bytes,
            "stores": [asdict(ref) for ref in self.stores],
        }


class Snapshots:
    """The snapshots of a state folder.

    Args:
        folder: The state folder; one that was not made here is not read.
    """

    def __init__(self, folder: StateFolder) -> None:
        self._folder = folder
        self._root = folder.snapshots

    def all(self) -> list[Snapshot]:
        """Return the finished snapshots, the newest first."""
        if not self._folder.is_believed():
            return []
        snapshots = (self._read(path) for path in self._root.glob("*") if not path.name.startswith("."))
        return sorted(filter(None, snapshots), key=lambda one: one.taken_at, reverse=True)

    def take(
        self,
        name: str,
        stores: Sequence[IsolatedStore],
        *,
        data_class: DataClass,
        replace: bool = False,
        events: EventSink = SILENT,
    ) -> Snapshot:
        """Copy the stores; a snapshot that is cut short leaves no folder of its name.

        Args:
            name: Letters, digits, dots, underscores and hyphens.
            stores: In the order in which they are copied.
            data_class: Whose data it is.
            replace: Whether a snapshot of this name may be replaced.
            events: Takes a `store.snapshot` of each service before it is copied.

        Raises:
            UsageError: The name cannot be used, or is taken.
            StoreFailed: A store would not be copied.
        """
        path = self._path(name)
        if path.exists() and not replace:
            raise UsageError(f"there is a snapshot {name} already", hint="--replace, or another name")
        self._root.mkdir(exist_ok=True, mode=0o700)
        with self._folder.locked("snapshots"):
            self._remove_unfinished()
            unfinished = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=self._root))
            refs = []
            for store in stores:
                events.emit("store.snapshot", store.service, doing="copying")
                refs.append(store.snapshot(unfinished, data_class=data_class))
            snapshot = Snapshot(name=name, taken_at=datetime.now(UTC), stores=tuple(refs))
            write_json(unfinished / _MANIFEST, snapshot.to_json())
            self._folder.remove(path)
            unfinished.rename(path)
        return snapshot

    def restore(self, name: str, stores: Sequence[IsolatedStore], *, events: EventSink = SILENT) -> Snapshot:
        """Put back what a snapshot holds. A restore that is cut short is finished by doing it again.

        Args:
            name: The snapshot.
            stores: Those of the stack; one that the snapshot does not have is left as it is.
            events: Takes a `store.snapshot` of each service before it is put back.

        Raises:
            UsageError: There is no such snapshot, its files were changed, or a server is of another major version.
            StoreFailed: A store would not take it back.
        """
        path = self._path(name)
        snapshot = self._read(path) if self._folder.is_believed() else None
        if snapshot is None:
            known = ", ".join(one.name for one in self.all()) or "none"
            raise UsageError(f"there is no snapshot {name}", hint=f"there are: {known}")
        refs = {ref.service: ref for ref in snapshot.stores}
        with self._folder.locked("snapshots"):
            for store in stores:
                if ref := refs.get(store.service):
                    events.emit("store.snapshot", store.service, doing="putting back")
                    store.restore(ref, path)
        return snapshot

    def remove(self, name: str) -> None:
        """Delete a snapshot.

        Raises:
            UsageError: There is none of this name.
        """
        path = self._path(name)
        if not path.exists():
            raise UsageError(f"there is no snapshot {name}", hint="ragbed store list")
        self._folder.remove(path)

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{name!r} cannot be a snapshot's name",
                hint="take lower-case letters, digits, dots, underscores and hyphens, 64 at most",
            )
        return self._root / name

    def _read(self, path: Path) -> Snapshot | None:
        value = read_json(path / _MANIFEST) or {}
        try:
            if value["schema"] != SCHEMA:
                return None
            return Snapshot(
                name=path.name,
                taken_at=datetime.fromisoformat(value["taken_at"]),
                stores=tuple(SnapshotRef(**ref) for ref in value["stores"]),
            )
        except (KeyError, TypeError, ValueError):
            return None

    def _remove_unfinished(self) -> None:
        """Remove what a killed command left; call it with the lock held."""
        for leftover in self._root.glob(f"{_UNFINISHED}*"):
            shutil.rmtree(leftover, ignore_errors=True)
