"""Quarantine: where collections are whose files are damaged, why they are there, and how they come back.

Each is a folder of `DIR/damaged`, as it was, with the note `quarantine.json`. A restored one is moved back among the
collections, where a running server finds it when it is next called for.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from ragbed.errors import CheckFailed, UsageError
from ragbed.qdrant.checking import CannotJudge, flaw_found
from ragbed.state.files import SHARED, write_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

logger = logging.getLogger(__name__)

FOLDER = "damaged"
NOTE = "quarantine.json"
MARK = "collection.json"
UNKNOWN = "not recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """A collection in quarantine.

    Attributes:
        id: Name of its folder, which no other has.
        name: The collection's name; None where it cannot be read.
        since: When it was set aside, UTC.
        why: The reason, as the engine or the system told it.
        folder: Where it is.
        aliases: Other names that it had.
    """

    id: str
    name: str | None
    since: datetime
    why: str
    folder: Path
    aliases: tuple[str, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """Return what `ragbed qdrant quarantine list --json` shows of it."""
        from ragbed.qdrant.disk_space import size_on_disk  # noqa: PLC0415  # reads every file's size

        return {
            "id": self.id,
            "name": self.name,
            "since": f"{self.since:%Y-%m-%dT%H:%M:%SZ}",
            "why": self.why,
            "size_bytes": size_on_disk(self.folder),
            "folder": str(self.folder),
            "aliases": list(self.aliases),
        }


def put(
    folder: Path, data: Path, why: object, *, name: str | None = None, aliases: tuple[str, ...] = ()
) -> None:
    """Move a damaged collection's folder into quarantine, and log that.

    Args:
        folder: The collection's.
        data: The data folder.
        why: What is wrong with it.
        name: The collection's name, where it is known.
        aliases: The collection's.
    """
    parent = data / FOLDER
    parent.mkdir(exist_ok=True)
    kept = folder.rename(parent / folder.name)
    logger.warning("damaged collection set aside in %s: %s", kept, why)
    note = {"name": name, "since": datetime.now(UTC).isoformat(), "why": str(why), "aliases": aliases}
    try:
        write_json(kept / NOTE, note, mode=SHARED)
    except OSError as error:  # the collection is safe without
        logger.warning("cannot note why in %s: %s", kept, error)


def quarantined(data: Path) -> list[Quarantined]:
    """Return the collections in quarantine, the oldest first."""
    parent = data / FOLDER
    if not parent.is_dir():
        return []
    return sorted(map(_read, _folders(parent)), key=lambda entry: entry.since)


def _folders(parent: Path) -> Iterator[Path]:
    return (folder for folder in parent.iterdir() if folder.is_dir() and not folder.is_symlink())


def _read(folder: Path) -> Quarantined:
    note = _json(folder / NOTE)
    name = note.get("name") or _json(folder / MARK).get("name")
    try:
        since = datetime.fromisoformat(note["since"]).astimezone(UTC)
    except (KeyError, TypeError, ValueError):
        since = datetime.fromtimestamp(folder.stat().st_mtime, UTC)
    aliases = note.get("aliases")
    return Quarantined(
        id=folder.name,
        name=name if isinstance(name, str) else None,
        since=since,
        why=str(note.get("why") or UNKNOWN),
        folder=folder,
        aliases=tuple(map(str, aliases)) if isinstance(aliases, list) else (),
    )


def aliases_brought_by(folder: Path) -> tuple[str, ...]:
    """Return the aliases of a collection that was put back, and forget that it was in quarantine."""
    note = folder / NOTE
    if not note.exists():
        return ()
    brought = _read(folder).aliases
    with suppress(OSError):
        note.unlink()
    return brought


def _json(path: Path) -> dict[str, Any]:
    try:
        value = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    return value if isinstance(value, dict) else {}


def find(data: Path, name: str) -> Quarantined:
    """Return the collection in quarantine of a name or id.

    Raises:
        UsageError: There is none, or several have that name.
    """
    entries = quarantined(data)
    matches = [entry for entry in entries if name in (entry.name, entry.id)]
    if not matches:
        shown = ", ".join(sorted({entry.name or entry.id for entry in entries})) or "nothing"
        raise UsageError(
            f"no collection {name!r} is in quarantine below {data}",
            hint=f"in quarantine is: {shown}",
        )
    if len(matches) > 1:
        raise UsageError(
            f"{len(matches)} collections {name!r} are in quarantine below {data}",
            details=[
                f"{entry.id}  since {entry.since:%Y-%m-%d %H:%M:%S} UTC: {entry.why}" for entry in matches
            ],
            hint="give the id of one instead of the name",
        )
    return matches[0]


def restore(data: Path, name: str, *, new_name: str | None = None) -> str:
    """Put a collection back, whole, if it opens by itself and its points can be read; return its name.

    It goes back by one rename, so a running server of that folder needs no restart.

    Args:
        data: The data folder, whether a server runs on it or not.
        name: The collection's name, or the id of its folder.
        new_name: What to call it from now on; None keeps its name.

    Raises:
        UsageError: It is not in quarantine, its name cannot be read, or a collection of that name exists.
        CheckFailed: It is still damaged, or that cannot be told now. It stays in quarantine.
    """
    entry = find(data, name)
    wanted = new_name or entry.name
    if wanted is None:
        raise UsageError(
            f"the name of {entry.id} cannot be read, so it cannot be restored",
            hint=f"look into {entry.folder}",
        )
    if wanted in _names(data):
        raise UsageError(
            f"a collection {wanted!r} exists: the one in quarantine is not put in its place",
            hint=f"delete or rename that one, or restore under another name: --as {wanted}-restored",
        )
    _require_whole(entry)
    if wanted != entry.name:
        write_json(entry.folder / MARK, _json(entry.folder / MARK) | {"name": wanted}, mode=SHARED)
    entry.folder.rename(data / "collections" / entry.id)
    return wanted


def _names(data: Path) -> set[str]:
    """Return the collections' names and aliases, as they are on the disk."""
    marks = (data / "collections").glob(f"*/{MARK}")
    return {name for mark in marks if (name := _json(mark).get("name"))} | _json(data / "aliases.json").keys()


def _require_whole(entry: Quarantined) -> None:
    try:
        flaw = flaw_found(entry.folder, read=True)
    except CannotJudge as error:
        raise CheckFailed(
            f"{entry.name or entry.id} cannot be opened now: {error}",
            hint="see to what is wanting, then restore it again; it stays in quarantine until then",
        ) from error
    if flaw:
        raise CheckFailed(
            f"{entry.name or entry.id} is still damaged, and stays in quarantine: {flaw}",
            details=[f"its files: {entry.folder}"],
            hint="restore it from a snapshot, or index its documents again",
        )
