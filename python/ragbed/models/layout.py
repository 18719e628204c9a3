"""The folder that an Ollama serves: `blobs/` by digest, `manifests/` by name, laid out read-only from our blobs."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ragbed.errors import ServiceMissing, UsageError
from ragbed.models.blobs import BlobFolder, hash_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ragbed.pins import ModelPin, Part

_MARKER = ".ragbed-store"
STORES = "stores"
"""Below the models of the state folder: a folder per set that was laid out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaidOut:
    """A models folder that is ready to be served.

    Attributes:
        folder: What `OLLAMA_MODELS` names.
        linked: Blobs that take no space of their own.
        copied: Blobs that had to be copied, because the folder is on another disk.
    """

    folder: Path
    linked: int
    copied: int


def manifests_in(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield name with tag and file of every manifest in a models folder, by name."""
    root = folder / "manifests"
    for path in sorted(root.glob("*/*/*/*")):
        _, namespace, name, tag = path.relative_to(root).parts
        yield (f"{name}:{tag}" if namespace == "library" else f"{namespace}/{name}:{tag}"), path


def is_ours(folder: Path) -> bool:
    """Tell whether `export_store` has made a models folder; an Ollama's own looks much the same."""
    return (folder / _MARKER).is_file()


def export_store(pins: Sequence[ModelPin], blobs: BlobFolder, folder: Path) -> LaidOut:
    """Lay out a read-only models folder from whole, right blobs; an earlier one there is replaced at once.

    Args:
        pins: The models.
        blobs: Where their blobs are.
        folder: What Ollama is to serve.

    Raises:
        UsageError: The folder is there and holds something else, which is left alone; or it cannot be made.
        ServiceMissing: A blob is missing or wrong; nothing is changed then.
    """
    _require_ours(folder)
    parts = {part.digest: part for pin in pins for part in pin.manifest.blobs}
    _require(list(parts.values()), blobs, pins)
    beside = _begun_beside(folder)
    try:
        into = BlobFolder(beside)
        into.folder.mkdir()
        copied = sum(_link(blobs.path(digest), into.path(digest)) for digest in parts)
        for pin in pins:
            path = pin.manifest_in(beside)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(pin.manifest.encode())
            path.chmod(0o444)
        marker = beside / _MARKER
        marker.write_text(
            "Laid out by `ragbed models store`; replaced when it runs again.\n", encoding="utf-8"
        )
        marker.chmod(0o444)
        _put_in_place(beside, folder)
    except BaseException:
        remove_store(beside)
        raise
    return LaidOut(folder=folder, linked=len(parts) - copied, copied=copied)


def remove_store(folder: Path) -> None:
    """Remove a read-only models folder; the blobs that it links stay where they came from."""
    if not folder.exists():
        return
    for parent, _, _ in os.walk(folder):
        Path(parent).chmod(0o700)
    shutil.rmtree(folder)


def _require_ours(folder: Path) -> None:
    """Refuse to replace what ragbed did not make."""
    if (
        folder.exists()
        and not (folder / _MARKER).is_file()
        and not (folder.is_dir() and not any(folder.iterdir()))
    ):
        raise UsageError(
            f"{folder} is there already, and `ragbed models store` has not made it",
            hint="name a folder that is empty or not there",
        )


def _require(parts: Sequence[Part], blobs: BlobFolder, pins: Sequence[ModelPin]) -> None:
    """Refuse to serve what is not there or not right: Ollama itself does not look."""
    missing = [part for part in parts if not blobs.has(part)]
    wrong = [p for p in parts if p not in missing and hash_file(blobs.path(p.digest)) != p.digest]
    if missing or wrong:
        names = " ".join(f"--model {pin.full_name}" for pin in pins)
        raise ServiceMissing(
            f"{len(missing)} of {len(parts)} blobs are not in {blobs.root}, and {len(wrong)} are corrupted",
            details=[
                f"{'missing' if p in missing else 'corrupted'}: {p.kind} {p.digest}"
                for p in [*missing, *wrong]
            ],
            hint=f"ragbed models fetch {'--rehash ' if wrong else ''}{names}",
        )


def _begun_beside(folder: Path) -> Path:
    """Return an empty folder beside another."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    except OSError as error:
        raise UsageError(
            f"cannot make {folder}: {error.strerror}", hint="name a folder where you may write"
        ) from error


def _link(source: Path, target: Path) -> bool:
    """Link a blob; copy it where the folder is on another disk. Tells whether it was copied."""
    try:
        target.hardlink_to(source)
    except OSError as error:
        if error.errno not in {errno.EXDEV, errno.EPERM, errno.EMLINK}:
            raise
        shutil.copyfile(source, target)
        target.chmod(0o444)
        return True
    return False


def _put_in_place(beside: Path, folder: Path) -> None:
    """Make a folder read-only and give it its name; what had the name before is removed."""
    for parent, _, _ in os.walk(beside, topdown=False):
        Path(parent).chmod(0o555)
    beside.chmod(0o755)  # a folder that may not be written cannot be renamed on every system
    if folder.exists():
        old = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
        folder.chmod(0o755)
        folder.replace(old)
        beside.replace(folder)
        remove_store(old)
    else:
        beside.replace(folder)
    folder.chmod(0o555)
