"""A bundle: a run's folder in one file, as far as its contents may go."""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragbed.runs.history import ARTIFACTS, MANIFEST, OUTCOME, SEQUENCE

if TYPE_CHECKING:
    from pathlib import Path

    from ragbed.runs import RunRecord

LARGEST_BYTES = 20 * 2**20
"""A bundle holds so many bytes at most, before it is packed: a CI service keeps it, and a person downloads it."""

_ALWAYS = (MANIFEST, "events.jsonl", OUTCOME)
_MAY_GO = frozenset({"public", "synthetic", "internal"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What was packed.

    Attributes:
        path: The file.
        files: Names from the run's folder on.
        left_out: The others, each with the reason.
    """

    path: Path
    files: tuple[str, ...]
    left_out: tuple[str, ...]


def write_bundle(record: RunRecord, path: Path) -> Bundle:
    """Pack a run's folder. Files of persons' data and what is too large stay out, and are named.

    Secrets are not in a run's files: its recorder takes them out before it writes.

    Args:
        record: The run.
        path: The file to write; replaced where it is there.

    Raises:
        OSError: It cannot be written.
    """
    files: list[str] = []
    left_out: list[str] = []
    room = LARGEST_BYTES
    classes = record.manifest.get("artifacts", {})
    with tarfile.open(path, "w:gz") as archive:
        for name in _names(record.folder):
            file = record.folder / name
            size = file.stat().st_size
            reason = _reason(name, classes) or ("too large" if size > room else "")
            if reason:
                left_out.append(f"{name}: {reason}")
                continue
            archive.add(file, f"run/{name}", recursive=False)
            files.append(name)
            room -= size
    return Bundle(path=path, files=tuple(files), left_out=tuple(left_out))


def _names(folder: Path) -> list[str]:
    """Return a run's files, what every bundle needs first."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    names = sorted(str(path.relative_to(folder)) for path in files)
    return sorted(names, key=lambda name: name not in _ALWAYS)


def _reason(name: str, classes: dict[str, str]) -> str:
    """Return why a file stays out; empty where it may go."""
    parts = name.split("/")
    if parts[0] != ARTIFACTS or parts[1] == SEQUENCE:
        return ""
    data_class = classes.get(parts[1], "")
    return "" if data_class in _MAY_GO else f"its data is {data_class or 'of no known class'}"
