"""Documents are parsed in a child process: what ends or stalls it costs one document."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ragbed.errors import DocumentError
from ragbed.pipeline.parser_process import ParserProcess
from ragbed.pipeline.parsing import EmptyDocument, SourceFile, parse

if TYPE_CHECKING:
    from pathlib import Path

GOOD = SourceFile(path="a/good.md", content=b"---\nupdated: 2026-01-02\ntags: [x]\n---\n# Good\n\nText.\n")
SLOW = SourceFile(path="slow.md", content=b"# t\n\n" + b"- a\n* b\n+ c\n" * 60_000)


def test_child_gives_what_the_parser_gives() -> None:
    """Document and chunks come through the pipe whole."""
    with ParserProcess() as parser:
        document, chunks = parser.chunks(GOOD, budget=100, overlap=0)

        assert document == parse(GOOD) == parser.parse(GOOD)
        assert "".join(chunk.text for chunk in chunks) == document.body


def test_document_that_takes_too_long_is_refused_and_the_next_one_read() -> None:
    """The kernel ends the child, whatever it is doing; another one goes on."""
    with ParserProcess(most_seconds=0.5) as parser:
        with pytest.raises(DocumentError, match=r"takes more than 0\.5 s to read"):
            parser.chunks(SLOW, budget=200, overlap=0)

        assert parser.parse(GOOD).title == "Good"


def test_document_that_ends_the_child_is_refused_and_the_next_one_read() -> None:
    """A crash within C code is one document's."""
    with ParserProcess() as parser:
        parser.parse(GOOD)
        child = parser._process
        assert child is not None
        child.kill()

        with pytest.raises(DocumentError, match=r"ends its parser \(SIGKILL\)"):
            parser.parse(GOOD)
        assert parser.parse(GOOD).title == "Good"


def test_reasons_come_through_the_pipe() -> None:
    """Empty is told from broken."""
    with ParserProcess() as parser:
        with pytest.raises(EmptyDocument, match="empty"):
            parser.parse(SourceFile(path="a.md", content=b""))
        with pytest.raises(DocumentError, match="binary: a NUL byte"):
            parser.parse(SourceFile(path="a.md", content=b"a\0b"))


def test_modules_of_the_folder_where_it_runs_are_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder of documents may hold Python files; they are not ours to run."""
    (tmp_path / "yaml.py").write_text("raise SystemExit(3)")
    (tmp_path / "markdown_it.py").write_text("raise SystemExit(3)")
    monkeypatch.chdir(tmp_path)

    with ParserProcess() as parser:
        assert parser.parse(GOOD).title == "Good"
