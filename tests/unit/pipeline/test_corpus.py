"""The corpus: what of a folder is read, and what is said about the rest."""

from __future__ import annotations

import os
import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragbed.errors import DocumentError, UsageError
from ragbed.pipeline.corpus import Ignored, SourceFile, build_corpus, listed, parse, read_folder
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
    """A picture is not a document, and is counted."""
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


def test_link_does_not_rename_the_real_documents(tmp_path: Path) -> None:
    """Documents bear the path at which they lie, wherever links to them sort."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "d.md").write_text("text")
    (tmp_path / "a-link").symlink_to(tmp_path / "real")
    (tmp_path / "a.md").symlink_to(tmp_path / "real" / "d.md")
    (tmp_path / "real" / "up").symlink_to(tmp_path)

    assert [item.path for item in read(tmp_path)] == ["real/d.md"]


def test_link_to_what_the_walk_skips_is_read_under_its_own_name(tmp_path: Path) -> None:
    """A hidden folder that a link shows is meant to be read."""
    (tmp_path / ".store").mkdir()
    (tmp_path / ".store" / "d.md").write_text("text")
    (tmp_path / "shown").symlink_to(tmp_path / ".store")

    assert [item.path for item in read(tmp_path)] == ["shown/d.md"]


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
    """A link to nothing is not a crash."""
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
    """YAML of any kind is not a crash."""
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
        pytest.param("a/b.md", "## Sub\n\n# Head\n", "Head", id="highest heading"),
        pytest.param("a/b.md", "## Sub\n\n### Deep\n", "Sub", id="no heading of level 1"),
        pytest.param("a/b.md", "Head\n====\n", "Head", id="underlined heading"),
        pytest.param("a/b.md", "Text.\n\n```sh\n# comment\n```\n", "b", id="comment in a fence"),
        pytest.param("a/b.md", "Text.\n\n~~~\n# comment\n~~~\n# Head", "Head", id="heading after a fence"),
        pytest.param("a/b.md", "    # indented code\n\ntext", "b", id="comment in indented code"),
        pytest.param("a/b.md", "- a\n\n  ```\n  # comment\n  ```\n", "b", id="fence in a list"),
        pytest.param("a/b.html", "<title>Page</title><h1>Head</h1>text", "Page", id="title of a page"),
        pytest.param("a/b.html", "<h2>Sub</h2><p>text", "Sub", id="heading of a page"),
        pytest.param("a/b.md", "text", "b", id="file name"),
        pytest.param("a/b.txt", "# not a heading", "b", id="plain text"),
    ],
)
def test_title_is_the_first_there_is(path: str, text: str, title: str) -> None:
    """Front matter, then heading, then file name."""
    assert parsed(text, path).title == title


@pytest.mark.parametrize(
    "written",
    ["3.10", "12:30", "no", "on", "0777", "1e3", "2026-01-02", "0x1F", "1_000", "=", "null and void"],
)
def test_front_matter_keeps_what_was_written(written: str) -> None:
    """YAML's guesses at numbers, times and truth values are not the author's words."""
    document = parsed(f"---\ntitle: {written}\nplatform: {written}\ntags: [{written}, b]\n---\ntext\n")

    assert (document.title, document.platform, document.tags) == (written, written, (written, "b"))


@pytest.mark.parametrize("nothing", ["", "~", "null", "[]", "{a: b}"])
def test_front_matter_without_a_text_gives_no_title(nothing: str) -> None:
    """Nothing, a list or a mapping is not a title: the heading is."""
    assert parsed(f"---\ntitle: {nothing}\n---\n# Head\n").title == "Head"


@pytest.mark.parametrize(
    ("front", "reason"),
    [
        pytest.param(
            "title: " + "[" * 100_000, "front matter of 100,008 bytes, the limit is 65,536", id="long"
        ),
        pytest.param("title: " + "[" * 20_000, "it is nested too deeply", id="brackets"),
        pytest.param("title: " + "{a: " * 10_000, "it is nested too deeply", id="braces"),
        pytest.param("title:\n  " + "- " * 20_000, "it is nested too deeply", id="items"),
        pytest.param("? " * 20_000, "it is nested too deeply", id="keys"),
    ],
)
def test_front_matter_that_would_end_a_parser_is_refused(front: str, reason: str) -> None:
    """Depth costs the C parser its stack, and the process its life."""
    with pytest.raises(DocumentError, match=reason):
        parsed(f"---\n{front}\n---\nx\n")


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


def test_empty_files_are_noted_and_others_counted_by_suffix(tmp_path: Path) -> None:
    """What has no text is not a fault; what is not a document is told by its kind."""
    for name, content in {
        "a.md": "text",
        "b.md": "",
        "c.md": "---\ntitle: A\n---\n",
        "d.PDF": "x",
        "e.pdf": "x",
    }.items():
        (tmp_path / name).write_text(content)
    (tmp_path / "Makefile").write_text("x")

    corpus = build_corpus(tmp_path)

    assert [document.path for document in corpus.documents] == ["a.md"]
    assert (corpus.empty, corpus.unreadable) == (("b.md", "c.md"), ())
    assert listed(corpus.ignored) == "2 .pdf, 1 without suffix"


def test_page_becomes_markdown_without_what_is_not_its_text() -> None:
    """Headings, lists, tables and code keep their meaning; navigation and scripts do not come along."""
    page = """<html><head><title>Cache &amp; co</title><style>p {}</style></head><body><nav>Home</nav><main>
    <h1>Cache</h1><script>alert(1)</script><p>Empty it by <code>cache-flush</code>.</p>
    <ul><li>first</li><li>second</li></ul><table><tr><th>key</th></tr><tr><td>a</td></tr></table>
    <pre><code class="language-sh"># run it
cache-flush</code></pre><img alt="a diagram" src="data:image/png;base64,QUJD"></main><footer>imprint</footer></body>"""

    document = parsed(page, "a.html")

    assert document.title == "Cache & co"
    assert "# Cache\n" in document.body
    assert "Empty it by `cache-flush`." in document.body
    assert "- first\n- second" in document.body
    assert "| key |" in document.body
    assert "```sh\n# run it\ncache-flush\n```" in document.body
    assert "a diagram" in document.body
    assert not {"Home", "alert", "imprint", "base64"} & set(re.findall(r"\w+", document.body))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param('<meta charset="windows-1252"><p>caf\xe9'.encode("cp1252"), "caf\xe9", id="declared"),
        pytest.param("<p>caf\xe9".encode(), "caf\xe9", id="utf-8 undeclared"),
        pytest.param(b"\xef\xbb\xbf<p>text", "text", id="byte order mark"),
    ],
)
def test_page_is_read_in_the_encoding_that_it_declares(content: bytes, expected: str) -> None:
    """Without a declaration it is UTF-8."""
    assert parse(SourceFile(path="a.html", content=content)).body == f"{expected}\n"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(
            b"<p>caf\xe9", "not UTF-8, the encoding of the page: byte 0xe9 at offset 6", id="latin-1"
        ),
        pytest.param(b'<meta charset="klingon"><p>x', "not klingon, .*Python does not know it", id="unknown"),
        pytest.param(b"<script>x</script>", "no text", id="no text"),
    ],
)
def test_page_that_cannot_be_read_says_why(content: bytes, reason: str) -> None:
    """As every other document."""
    with pytest.raises(DocumentError, match=reason):
        parse(SourceFile(path="a.html", content=content))
