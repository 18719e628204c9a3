"""The corpus: which files of a folder are documents, and what is said about the rest.

Nothing in a folder stops an ingest: what cannot be read is reported with its reason.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from ragbed.errors import DocumentError, UsageError
from ragbed.pipeline.parser_process import ParserProcess
from ragbed.pipeline.parsing import SUFFIXES, EmptyDocument, SourceFile, parse
from ragbed.pipeline.records import Document, Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "SUFFIXES",
    "Corpus",
    "Ignored",
    "SourceFile",
    "build_corpus",
    "listed",
    "parse",
    "read_folder",
    "require_folder",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """A file whose suffix is not one of `SUFFIXES`."""

    path: str

    @property
    def kind(self) -> str:
        """Its suffix in lower case, or `without suffix`."""
        return PurePosixPath(self.path).suffix.lower() or "without suffix"


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """A folder, read.

    Attributes:
        documents: Sorted by path.
        unreadable: Files that could not be read, and why.
        empty: Paths of files without any text.
        ignored: How many files had another suffix, by suffix.
    """

    documents: tuple[Document, ...]
    unreadable: tuple[Unreadable, ...]
    empty: tuple[str, ...]
    ignored: Mapping[str, int]


def build_corpus(folder: Path, *, max_bytes: int = 5_000_000) -> Corpus:
    """Read and parse every document of a folder.

    Args:
        folder: Corpus folder.
        max_bytes: Larger files are unreadable.

    Raises:
        UsageError: The folder does not exist, or is not a folder.
    """
    documents: list[Document] = []
    unreadable: list[Unreadable] = []
    empty: list[str] = []
    ignored: Counter[str] = Counter()
    with ParserProcess() as parser:
        for item in read_folder(folder, max_bytes=max_bytes):
            if isinstance(item, Ignored):
                ignored[item.kind] += 1
            elif isinstance(item, Unreadable):
                unreadable.append(item)
            else:
                try:
                    documents.append(parser.parse(item))
                except EmptyDocument:
                    empty.append(item.path)
                except DocumentError as error:
                    unreadable.append(Unreadable(path=item.path, reason=error.message))
    return Corpus(
        documents=tuple(documents), unreadable=tuple(unreadable), empty=tuple(empty), ignored=dict(ignored)
    )


def listed(ignored: Mapping[str, int]) -> str:
    """Return how many files were left out, by suffix, the most frequent first: `3 .pdf, 1 .png`."""
    return ", ".join(
        f"{count} {kind}" for kind, count in sorted(ignored.items(), key=lambda item: (-item[1], item[0]))
    )


def require_folder(folder: Path) -> Path:
    """Return a folder that is there.

    Raises:
        UsageError: The folder does not exist, or is not a folder.
    """
    if not folder.is_dir():
        raise UsageError(
            f"{folder} is not a folder", hint=f"name a folder with documents: {', '.join(SUFFIXES)}"
        )
    return folder


def read_folder(folder: Path, *, max_bytes: int) -> Iterator[SourceFile | Unreadable | Ignored]:
    """Yield what lies in a folder, sorted by path; hidden files and folders are skipped.

    A link within the corpus names nothing new: what it leads to is read once, under its own path. A link to what
    the walk skips (a hidden folder) is read under the link's name. A link that leads out is reported.

    Args:
        folder: Corpus folder.
        max_bytes: Larger files are unreadable.

    Raises:
        UsageError: The folder does not exist, or is not a folder.
    """
    root = require_folder(folder).resolve()
    walk = _Walk(root)
    walk.enter(root, "")
    walk.follow_links()
    for relative, problem in sorted(walk.entries):
        yield problem or _read_file(root, relative, max_bytes=max_bytes)


class _Walk:
    """One walk through a folder: real files and folders first, then what links lead to besides them.

    Args:
        root: The corpus folder, resolved.
    """

    def __init__(self, root: Path) -> None:
        self.entries: list[tuple[str, Unreadable | None]] = []
        self._root = root
        self._seen: set[Path] = set()
        self._links: list[tuple[str, Path]] = []

    def enter(self, folder: Path, prefix: str) -> None:
        """Note what is in a real folder and below it."""
        self._seen.add(folder)
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            path = prefix.rstrip("/") or "."
            reason = f"folder cannot be listed: {error.strerror}"
            self.entries.append((path, Unreadable(path=path, reason=reason)))
            return
        for entry in entries:
            relative = f"{prefix}{entry.name}"
            if entry.name.startswith("."):
                continue
            if entry.is_symlink():
                self._links.append((relative, Path(entry.path)))
            elif entry.is_dir(follow_symlinks=False):
                self.enter(Path(entry.path), f"{relative}/")
            else:
                self._seen.add(Path(entry.path))
                self.entries.append((relative, None))

    def follow_links(self) -> None:
        """Note what links lead to, unless it was seen under its own path or under an earlier link."""
        while self._links:
            relative, link = self._links.pop(0)
            try:
                target = link.resolve(strict=True)
            except (OSError, RuntimeError):  # to nothing, or round in a circle
                self.entries.append((relative, None))
                continue
            if not target.is_relative_to(self._root):
                problem = Unreadable(path=relative, reason="a link that leads out of the corpus")
                self.entries.append((relative, problem))
            elif target not in self._seen:
                self._follow(target, relative)

    def _follow(self, target: Path, relative: str) -> None:
        if target.is_dir():
            self.enter(target, f"{relative}/")
        else:
            self._seen.add(target)
            self.entries.append((relative, None))


def _read_file(root: Path, relative: str, *, max_bytes: int) -> SourceFile | Unreadable | Ignored:
    shown = relative.encode("utf-8", "backslashreplace").decode()
    if PurePosixPath(relative).suffix.lower() not in SUFFIXES:
        return Ignored(path=shown)
    path = root / relative
    try:
        problem = "its name is not UTF-8" if shown != relative else _obstacle(path, root, max_bytes)
        content = b"" if problem else path.read_bytes()
    except OSError as error:
        problem = f"cannot be read: {error.strerror or error}"
    return Unreadable(path=shown, reason=problem) if problem else SourceFile(path=relative, content=content)


def _obstacle(path: Path, root: Path, max_bytes: int) -> str:
    """Return why a file should not be opened; empty when it may."""
    if not path.exists():
        return "a link to nothing"
    if not path.is_file():  # opening a pipe would wait for ever
        return "not a regular file"
    if not path.resolve().is_relative_to(root):
        return "a link that leads out of the corpus"
    size = path.stat().st_size
    return f"too big: {size:,} bytes, the limit is {max_bytes:,}" if size > max_bytes else ""
