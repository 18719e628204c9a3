"""The corpus: which files of a folder are documents, and what stands in them.

Nothing in a folder stops an ingest: what cannot be read is reported with its reason.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from ragbed.errors import DocumentError, UsageError
from ragbed.pipeline.mdx import to_markdown
from ragbed.pipeline.records import Document, Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

SUFFIXES = (".md", ".mdx", ".txt")
_FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n(.*?)^---[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
_OPENED = re.compile(r"\A---[ \t]*\r?\n")
_FIRST_HEADING = re.compile(r"^#[ \t]+(.+?)[ \t#]*$", re.MULTILINE)
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_MOST_CONTROLS = 0.02  # share of control characters above which text is taken for binary data


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """The bytes of one document.

    Attributes:
        path: Relative to the corpus folder, posix form.
        content: As on disk.
    """

    path: str
    content: bytes

    @property
    def content_hash(self) -> str:
        """SHA-256 of the bytes, as hexadecimal digits."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """A file whose suffix is not one of `SUFFIXES`."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """A folder, read.

    Attributes:
        documents: Sorted by path.
        unreadable: Files that could not be read, and why.
        ignored: How many files had other suffixes.
    """

    documents: tuple[Document, ...]
    unreadable: tuple[Unreadable, ...]
    ignored: int


def build_corpus(folder: Path, *, max_bytes: int = 5_000_000) -> Corpus:
    """Read and parse every document of a folder.

    Args:
        folder: Corpus folder.
        max_bytes: Larger files are unreadable.

    Raises:
        UsageError: The folder does not exist, or is no folder.
    """
    documents: list[Document] = []
    unreadable: list[Unreadable] = []
    ignored = 0
    for item in read_folder(folder, max_bytes=max_bytes):
        if isinstance(item, Ignored):
            ignored += 1
        elif isinstance(item, Unreadable):
            unreadable.append(item)
        else:
            try:
                documents.append(parse(item))
            except DocumentError as error:
                unreadable.append(Unreadable(path=item.path, reason=error.message))
    return Corpus(documents=tuple(documents), unreadable=tuple(unreadable), ignored=ignored)


def read_folder(folder: Path, *, max_bytes: int) -> Iterator[SourceFile | Unreadable | Ignored]:
    """Yield what lies in a folder, sorted by path; hidden files and folders are skipped.

    Args:
        folder: Corpus folder. Links to folders are followed, each real folder once; links that lead out
            of the corpus are not.
        max_bytes: Larger files are unreadable.

    Raises:
        UsageError: The folder does not exist, or is no folder.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder", hint="name a folder with .md, .mdx or .txt files")
    root = folder.resolve()
    found = [*_walk(root, "", seen={root}, root=root)]
    for relative, problem in sorted(found):
        yield problem or _read_file(root, relative, max_bytes=max_bytes)


def _walk(
    folder: Path, prefix: str, *, seen: set[Path], root: Path
) -> Iterator[tuple[str, Unreadable | None]]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        path = prefix.rstrip("/") or "."
        yield path, Unreadable(path=path, reason=f"folder cannot be listed: {error.strerror}")
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        relative = f"{prefix}{entry.name}"
        if not _is_folder(entry):
            yield relative, None
            continue
        real = Path(entry.path).resolve()
        if not real.is_relative_to(root):
            yield relative, Unreadable(path=relative, reason="a link that leads out of the corpus")
        elif real not in seen:
            seen.add(real)
            yield from _walk(real, f"{relative}/", seen=seen, root=root)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads round in a circle
        return False


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


def parse(source: SourceFile) -> Document:
    """Return the document that stands in a file.

    Args:
        source: UTF-8 text, with or without a byte order mark; Markdown and MDX may open with YAML front matter.

    Raises:
        DocumentError: The bytes are not text, the front matter is broken, or there is no text. The message
            says why without naming the path.
    """
    text = _decode(source.content)
    suffix = PurePosixPath(source.path).suffix.lower()
    if suffix == ".txt":
        return _document(source.path, {}, _required(text), markdown=False)
    front, body = _split_front_matter(text)
    body = _required(to_markdown(body) if suffix == ".mdx" else body)
    return _document(source.path, front, body, markdown=True)


def _decode(content: bytes) -> str:
    if not content:
        raise DocumentError("empty")
    if content.startswith(_UTF16_MARKS):
        raise DocumentError("UTF-16, not UTF-8", hint="save it as UTF-8")
    if b"\0" in content:
        raise DocumentError(f"binary: a NUL byte at offset {content.index(0)}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        byte = content[error.start]
        raise DocumentError(f"not UTF-8: byte 0x{byte:02x} at offset {error.start}") from error
    controls = sum(1 for letter in text if letter < " " and letter not in "\t\n\r\f")
    if controls > _MOST_CONTROLS * len(text):
        raise DocumentError(f"binary: {controls} control characters in {len(text)}")
    return text


def _required(body: str) -> str:
    if not body.strip():
        raise DocumentError("no text after the front matter" if body else "no text")
    return body


def _split_front_matter(text: str) -> tuple[dict[str, Any], str]:
    match = _FRONT_MATTER.match(text)
    if match is None:
        if _OPENED.match(text) and _looks_like_yaml(text.split("\n", 2)[1]):
            raise DocumentError("front matter is opened by --- and never closed")
        return {}, text
    return _load_yaml(match[1]), text[match.end() :]


def _looks_like_yaml(line: str) -> bool:
    """Tell front matter from a thematic break that opens the text."""
    return re.match(r"[A-Za-z_][\w-]*\s*:", line) is not None


def _load_yaml(text: str) -> dict[str, Any]:
    import yaml  # noqa: PLC0415 - an unchanged corpus needs none

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        value = yaml.load(text, Loader=loader)  # noqa: S506 - a safe loader either way
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DocumentError(f"broken front matter: {_yaml_problem(error)}") from error
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise DocumentError(f"broken front matter: a {type(value).__name__}, not keys and values")
    return {str(key): item for key, item in value.items()}


def _yaml_problem(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).split("\n", 1)[0] or type(error).__name__
    # The first line of the front matter is line 2 of the file.
    return f"{problem} in line {mark.line + 2}" if mark else str(problem)


def _document(path: str, front: dict[str, Any], body: str, *, markdown: bool) -> Document:
    heading = _FIRST_HEADING.search(body) if markdown else None
    title = _text(front.get("title")) or (heading[1].strip() if heading else PurePosixPath(path).stem)
    return Document(
        path=path,
        title=title,
        body=body,
        lesson_type=_text(front.get("lesson_type")),
        platform=_text(front.get("platform")),
        tags=_texts(front.get("tags")),
        updated=_date(front.get("updated")),
        markdown=markdown,
    )


def _text(value: object) -> str:
    """Return one line of text for a scalar, and nothing for the rest."""
    if value is None or isinstance(value, (dict, list, set)):
        return ""
    # YAML escapes can make what no store takes: NUL and half surrogates.
    clean = str(value).replace("\0", "").encode("utf-8", "replace").decode()
    return " ".join(clean.split())


def _texts(value: object) -> tuple[str, ...]:
    items = value if isinstance(value, list) else str(value).split(",") if isinstance(value, str) else []
    return tuple(dict.fromkeys(text for item in items if (text := _text(item))))


def _date(value: object) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value)[:10]) if value else None
    except ValueError:
        return None
