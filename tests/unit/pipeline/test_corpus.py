"""The corpus: what of a folder is read, and what is said about the rest."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragbed.errors import DocumentError, UsageError
from ragbed.pipeline.corpus import Ignored, SourceFile, parse, read_folder
from ragbed.pipeline.records import Document, Unreadable

LIMIT = 10_000


def read(folder: Path) -> list[SourceFile | Unreadable | Ignored]:
    """Return everything in a folder."""
    return list(read_folder(folder, max_bytes=LIMIT))


def reasons(folder: Path) -> dict[str, str]:
    """Return what could not be read, and why."""
    return {item.path: item.reason for item in read(folder) if isinstance(item, Unreadable)}


def parsed(text: str, path: str = "a.md") -> Document:
    """Return the document of a text."""
    return parse(SourceFile(path=path, content=text.encode()))


def test_documents_of_all_levels_come_sorted_by_path(tmp_path: Path) -> None:
    """Subfolders are read too, and the order does not depend on the file system."""
    for path in ("b.md", "a/z.mdx", "a/b.txt", "c/d/e.md"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("text")

    assert [item.path for item in read(tmp_path)] == ["a/b.txt", "a/z.mdx", "b.md", "c/d/e.md"]


def test_other_suffixes_are_ignored_but_seen(tmp_path: Path) -> None:
    """A picture is no document, and is counted."""
    (tmp_path / "logo.png").write_bytes(b"\x89PNG")

    assert read(tmp_path) == [Ignored(path="logo.png")]


def test_hidden_files_and_folders_are_skipped(tmp_path: Path) -> None:
    """Names that begin with a dot are not the corpus."""
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "a.md").write_text("text")
    (tmp_path / ".b.md").write_text("text")

    assert read(tmp_path) == []


def test_circle_of_links_ends(tmp_path: Path) -> None:
    """A folder linked into itself is read once."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "d.md").write_text("text")
    (tmp_path / "a" / "again").symlink_to(tmp_path / "a")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")

    assert [item.path for item in read(tmp_path) if isinstance(item, SourceFile)] == ["a/d.md"]


@pytest.mark.parametrize("name", ["out.md", "folder"])
def test_link_out_of_the_corpus_is_reported(tmp_path: Path, name: str) -> None:
    """What lies outside the folder is not read through a link."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.md").write_text("secret")
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / name).symlink_to(outside if name == "folder" else outside / "secret.md")

    assert reasons(corpus) == {name: "a link that leads out of the corpus"}


def test_too_big_file_is_reported_with_both_sizes(tmp_path: Path) -> None:
    """A file above the limit is not opened."""
    (tmp_path / "a.md").write_text("x" * (LIMIT + 1))

    assert reasons(tmp_path) == {"a.md": "too big: 10,001 bytes, the limit is 10,000"}


def test_pipe_is_not_opened(tmp_path: Path) -> None:
    """A named pipe would block for ever."""
    os.mkfifo(tmp_path / "a.md")

    assert reasons(tmp_path) == {"a.md": "not a regular file"}


def test_dangling_link_is_reported(tmp_path: Path) -> None:
    """A link to nothing is no crash."""
    (tmp_path / "a.md").symlink_to(tmp_path / "gone.md")

    assert reasons(tmp_path) == {"a.md": "a link to nothing"}


def test_name_that_is_not_utf8_is_reported(tmp_path: Path) -> None:
    """No store takes such a name."""
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.md")).write_text("text")

    assert reasons(tmp_path) == {"\\udcff.md": "its name is not UTF-8"}


def test_missing_folder_is_a_usage_error(tmp_path: Path) -> None:
    """A wrong path is not taken for an empty corpus, which would remove every document."""
    with pytest.raises(UsageError, match="is not a folder"):
        read(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "empty", id="empty"),
        pytest.param(b" \n\t\n", "no text after the front matter", id="white space"),
        pytest.param(b"---\ntitle: A\n---\n", "no text", id="front matter only"),
        pytest.param("text".encode("utf-16"), "UTF-16, not UTF-8", id="utf-16"),
        pytest.param("caf\xe9".encode("latin-1"), "not UTF-8: byte 0xe9 at offset 3", id="latin-1"),
        pytest.param(b"a\0b", "binary: a NUL byte at offset 1", id="nul"),
        pytest.param(b"\x01\x02abc", "binary: 2 control characters in 5", id="controls"),
        pytest.param(b"---\ntitle: [a\n---\ntext", "broken front matter: .* in line [23]", id="bad yaml"),
        pytest.param(b"---\n- a\n---\ntext", "broken front matter: a list", id="list"),
        pytest.param(b"---\ntitle: A\ntext", "opened by --- and never closed", id="not closed"),
    ],
)
def test_unreadable_bytes_say_why(content: bytes, reason: str) -> None:
    """Every kind of damage has its own words."""
    with pytest.raises(DocumentError, match=reason):
        parse(SourceFile(path="a.md", content=content))


@given(st.binary(max_size=300))
def test_garbage_never_crashes(content: bytes) -> None:
    """Any bytes are a document or a DocumentError."""
    for suffix in ("md", "mdx", "txt"):
        try:
            document = parse(SourceFile(path=f"a.{suffix}", content=content))
        except DocumentError:
            continue
        assert document.body.strip()


@given(st.text(max_size=200))
def test_any_front_matter_gives_a_document_or_a_reason(text: str) -> None:
    """YAML of any kind is no crash."""
    content = f"---\ntitle: {text}\n---\nbody".encode("utf-8", "replace")
    try:
        document = parse(SourceFile(path="a.md", content=content))
    except DocumentError:
        return
    assert document.title


def test_front_matter_becomes_metadata() -> None:
    """The fields we filter by are read, dates and comma lists included."""
    document = parsed(
        "---\ntitle: A\nlesson_type: how-to\nplatform: redis\ntags: one, two\nupdated: 2026-01-02\n---\nbody\n"
    )

    assert document == Document(
        path="a.md",
        title="A",
        body="body\n",
        lesson_type="how-to",
        platform="redis",
        tags=("one", "two"),
        updated=date(2026, 1, 2),
    )


@pytest.mark.parametrize(
    ("path", "text", "title"),
    [
        pytest.param("a/b.md", "---\ntitle: Front\n---\n# Head\n", "Front", id="front matter"),
        pytest.param("a/b.md", "# Head #\ntext", "Head", id="first heading"),
        pytest.param("a/b.md", "text", "b", id="file name"),
        pytest.param("a/b.txt", "# not a heading", "b", id="plain text"),
    ],
)
def test_title_is_the_first_there_is(path: str, text: str, title: str) -> None:
    """Front matter, then heading, then file name."""
    assert parsed(text, path).title == title


def test_thematic_break_at_the_top_is_no_front_matter() -> None:
    """A rule opens the text; it opens no YAML."""
    assert parsed("---\n\nHello.\n").body == "---\n\nHello.\n"


def test_byte_order_mark_is_taken_off() -> None:
    """Some editors write one."""
    assert parse(SourceFile(path="a.md", content=b"\xef\xbb\xbf# T\n")).body == "# T\n"


def test_mdx_loses_imports_and_component_tags_but_no_line() -> None:
    """Components disappear, their text and code fences stay."""
    text = (
        "import { A } from './a'\nexport const m = {\n  x: 1,\n}\n\n# T\n<Note kind='x'>kept</Note> {/* gone */}\n"
        "```jsx\nimport B from 'b'\n<Note/>\n```\n"
    )

    document = parsed(text, "a.mdx")

    assert document.body == "\n\n\n\n\n# T\nkept \n```jsx\nimport B from 'b'\n<Note/>\n```\n"
