"""The bytes of one file made a document, or a reason why they are none."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ragbed.errors import DocumentError
from ragbed.pipeline.front_matter import split_front_matter
from ragbed.pipeline.markdown import first_heading
from ragbed.pipeline.mdx import to_markdown
from ragbed.pipeline.records import Document

if TYPE_CHECKING:
    from ragbed.pipeline.front_matter import FrontMatter, Scalar

HTML_SUFFIXES = (".html", ".htm", ".xhtml")
SUFFIXES = (".md", ".mdx", ".markdown", ".txt", *HTML_SUFFIXES)
"""What is read; the rest of a folder is counted by suffix."""

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_MOST_CONTROLS = 0.02  # share of control characters above which text is taken for binary data


class EmptyDocument(DocumentError):
    """A file without any text: worth a note, and not a fault of the corpus."""


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

    @property
    def suffix(self) -> str:
        """The suffix of its name, in lower case."""
        return PurePosixPath(self.path).suffix.lower()


def parse(source: SourceFile) -> Document:
    """Return the document that stands in a file.

    Args:
        source: UTF-8 text, with or without a byte order mark; Markdown and MDX may open with YAML front matter.
            HTML is in the encoding that it declares.

    Raises:
        EmptyDocument: There is no text.
        DocumentError: The bytes are not text, or the front matter is broken. The message says why without naming
            the path.
    """
    if not source.content:
        raise EmptyDocument("empty")
    if source.suffix in HTML_SUFFIXES:
        return _parse_html(source)
    text = _decode(source.content)
    if source.suffix == ".txt":
        return _document(source.path, {}, _required(text), markdown=False)
    front, body = split_front_matter(text)
    body = _required(to_markdown(body) if source.suffix == ".mdx" else body)
    return _document(source.path, front, body, markdown=True)


def _parse_html(source: SourceFile) -> Document:
    from ragbed.pipeline.html import html_to_markdown  # noqa: PLC0415 - most corpora hold no HTML

    _require_text(source.content)
    title, body = html_to_markdown(source.content)
    return _document(source.path, {"title": title}, _required(body), markdown=True)


def _decode(content: bytes) -> str:
    _require_text(content)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        byte = content[error.start]
        raise DocumentError(f"not UTF-8: byte 0x{byte:02x} at offset {error.start}") from error
    controls = sum(1 for letter in text if letter < " " and letter not in "\t\n\r\f")
    if controls > _MOST_CONTROLS * len(text):
        raise DocumentError(f"binary: {controls} control characters in {len(text)}")
    return text


def _require_text(content: bytes) -> None:
    if content.startswith(_UTF16_MARKS):
        raise DocumentError("UTF-16, not UTF-8", hint="save it as UTF-8")
    if b"\0" in content:
        raise DocumentError(f"binary: a NUL byte at offset {content.index(0)}")


def _required(body: str) -> str:
    if not body.strip():
        raise EmptyDocument("no text after the front matter" if body else "no text")
    return body


def _document(path: str, front: FrontMatter, body: str, *, markdown: bool) -> Document:
    heading = first_heading(body) if markdown else ""
    return Document(
        path=path,
        title=_text(front.get("title")) or heading or PurePosixPath(path).stem,
        body=body,
        lesson_type=_text(front.get("lesson_type")),
        platform=_text(front.get("platform")),
        tags=_texts(front.get("tags")),
        updated=_date(front.get("updated")),
        markdown=markdown,
    )


def _text(value: Scalar | None) -> str:
    """Return one line of text for a scalar, and nothing for the rest."""
    if not isinstance(value, str) or value in {"~", "null"}:
        return ""
    # YAML escapes can make what no store takes: NUL and half surrogates.
    clean = value.replace("\0", "").encode("utf-8", "replace").decode()
    return " ".join(clean.split())


def _texts(value: Scalar | None) -> tuple[str, ...]:
    items = value if isinstance(value, list) else value.split(",") if isinstance(value, str) else []
    return tuple(dict.fromkeys(text for item in items if (text := _text(item))))


def _date(value: Scalar | None) -> date | None:
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None
