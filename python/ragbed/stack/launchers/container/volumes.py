"""The volume with a service's data; its name is noted in the data folder, which stands for it.

The folder is kept, moved and removed as that of a process is; the volume follows by its name.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from ragbed.errors import RagbedError
from ragbed.stack.launchers.container.daemon import daemon_at
from ragbed.state.files import read_json, write_json

if TYPE_CHECKING:
    from pathlib import Path

_NOTE = "volume.json"


def note_volume(data: Path, volume: str, daemon: str) -> None:
    """Note in a data folder which volume has the data, and at which daemon."""
    data.mkdir(parents=True, exist_ok=True)
    write_json(data / _NOTE, {"volume": volume, "daemon": daemon})


def noted_volume(data: Path) -> str:
    """Return the volume that a data folder notes; empty where it notes none."""
    return str((read_json(data / _NOTE) or {}).get("volume", ""))


def is_of_a_process(data: Path) -> bool:
    """Tell whether a data folder has a service's own files: then a process keeps its data there."""
    return not noted_volume(data) and any(path.is_dir() or path.suffix == ".conf" for path in data.glob("*"))


def remove_noted_volume(data: Path) -> None:
    """Remove the volume that a data folder notes; nothing where it notes none, or its daemon does not answer."""
    note = read_json(data / _NOTE)
    if note:
        with suppress(RagbedError):
            remove_volume(str(note.get("daemon", "")), str(note.get("volume", "")))


def remove_volume(daemon: str, volume: str) -> None:
    """Remove a volume of ragbed's; nothing happens where it has gone.

    Raises:
        ServiceMissing: The daemon does not answer.
    """
    client = daemon_at(daemon).client
    from docker.errors import APIError  # noqa: PLC0415 - an extra

    with suppress(APIError):
        found = client.volumes.get(volume)
        if any(label.startswith("dev.ragbed.") for label in found.attrs.get("Labels") or {}):
            found.remove(force=True)
