"""Golden questions: what a file may hold, and how a wrong line is named."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ragbed.data import Question, lessons_folder, load_questions, questions_file
from ragbed.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

GOOD = '{"id": "q1", "question": "Why?", "relevant": ["a.md"]}'


def written(folder: Path, text: str) -> Path:
    """Write a questions file."""
    path = folder / "questions.jsonl"
    path.write_bytes(text.encode("utf-8"))
    return path


def test_a_line_is_a_question(tmp_path: Path) -> None:
    """Every field is read; kind and held_out may be missing."""
    line = '{"id": "q2", "question": "What?", "relevant": [], "kind": "near", "held_out": true}'

    assert load_questions(written(tmp_path, f"{GOOD}\n\n{line}\n")) == [
        Question(id="q1", question="Why?", relevant=("a.md",)),
        Question(id="q2", question="What?", relevant=(), kind="near", held_out=True),
    ]


def test_a_file_that_is_missing_is_named_once(tmp_path: Path) -> None:
    """The path and the reason stand in the message, without the system's number."""
    with pytest.raises(ConfigurationError) as caught:
        load_questions(tmp_path / "none.jsonl")

    assert caught.value.message == (
        f"cannot read the questions file {tmp_path}/none.jsonl: No such file or directory"
    )


@pytest.mark.parametrize("separator", ["\u2028", "\x85", "\x0b"], ids=["U+2028", "U+0085", "U+000B"])
def test_only_a_newline_ends_a_line(separator: str, tmp_path: Path) -> None:
    """Other separators may stand inside a question."""
    question = f"Why{separator}so?"
    line = json.dumps({"id": "q", "question": question, "relevant": []}, ensure_ascii=False)

    assert load_questions(written(tmp_path, line))[0].question == question


@pytest.mark.parametrize("text", [f"\ufeff{GOOD}", f"{GOOD}\r\n"], ids=["byte-order-mark", "carriage-return"])
def test_editors_habits_do_no_harm(text: str, tmp_path: Path) -> None:
    """A byte order mark and Windows' line ends are taken."""
    assert len(load_questions(written(tmp_path, text))) == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param("{", "is not JSON (", id="no-json"),
        pytest.param("[1]", "is not a JSON object", id="no-object"),
        pytest.param('{"id": "q", "question": "?", "relevant": [], "answer": 1}', "'answer'", id="unknown"),
        pytest.param('{"question": "?", "relevant": []}', "has id None, expected some text", id="no-id"),
        pytest.param('{"id": 7, "question": "?", "relevant": []}', "has id 7", id="id-number"),
        pytest.param('{"id": "q", "question": " ", "relevant": []}', "has question ' '", id="empty-question"),
        pytest.param('{"id": "q", "question": "?"}', "has relevant None", id="no-relevant"),
        pytest.param('{"id": "q", "question": "?", "relevant": "a.md"}', "a list of paths", id="one-path"),
        pytest.param('{"id": "q", "question": "?", "relevant": [1]}', "a list of paths", id="path-number"),
        pytest.param('{"id": "q", "question": "?", "relevant": ["/a"]}', "an absolute path", id="absolute"),
        pytest.param(
            '{"id": "q", "question": "?", "relevant": [], "kind": "odd"}', "expected near or far", id="kind"
        ),
        pytest.param(
            '{"id": "q", "question": "?", "relevant": [], "held_out": 1}', "expected true or false", id="flag"
        ),
        pytest.param(GOOD, "has the id 'q1' of an earlier line", id="twice"),
    ],
)
def test_a_wrong_line_is_named(line: str, said: str, tmp_path: Path) -> None:
    """The message names file, line and what was expected."""
    path = written(tmp_path, f"{GOOD}\n\n{line}\n")

    with pytest.raises(ConfigurationError) as caught:
        load_questions(path)

    assert f"{path}, line 3 " in caught.value.message
    assert said in caught.value.message


@pytest.mark.parametrize("content", [None, b"\xff\xfe"], ids=["missing", "not-text"])
def test_a_file_that_cannot_be_read_is_named(content: bytes | None, tmp_path: Path) -> None:
    """The path is in the message."""
    path = tmp_path / "questions.jsonl"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ConfigurationError, match="cannot read the questions file"):
        load_questions(path)


def test_the_lessons_own_questions_name_lessons_that_exist() -> None:
    """Every relevant path is a file of the corpus that ragbed brings along."""
    named = {path for question in load_questions(questions_file()) for path in question.relevant}

    assert named
    assert [path for path in sorted(named) if not (lessons_folder() / path).is_file()] == []


def test_a_file_without_questions_is_refused(tmp_path: Path) -> None:
    """A user who names a file means to ask something: blank lines are not questions."""
    with pytest.raises(ConfigurationError, match="holds no question"):
        load_questions(written(tmp_path, "\n \n"))


def test_paths_are_taken_as_a_shell_gives_them(tmp_path: Path) -> None:
    """./page.md is page.md."""
    line = '{"id": "q", "question": "Why?", "relevant": ["./page.md", "deep//page.md"]}'

    assert load_questions(written(tmp_path, line))[0].relevant == ("page.md", "deep/page.md")
