"""What is asked of a corpus that nobody wrote questions for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ragbed.pipeline.corpus import build_corpus
from ragbed.smoke.generated_questions import own_questions

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        pytest.param(
            "# Hello\n\nPress the red button. Then wait.\n", "Hello: Press the red button.", id="prose"
        ),
        pytest.param("# Hello\nPress the red button.\n", "Hello: Press the red button.", id="no blank line"),
        pytest.param("# Hello\n\n- a list of things\n\nIt is a list.\n", "Hello: It is a list.", id="list"),
        pytest.param("# Hello\n\n- press the button\n- wait\n", "Hello: press the button", id="list alone"),
        pytest.param(
            "# Hello\n\n```\nrun it at once\n```\n\nIt runs once.\n", "Hello: It runs once.", id="code"
        ),
        pytest.param(
            "# Hello\n\nWhat is it for? It greets people.", "Hello: It greets people.", id="question"
        ),
    ],
)
def test_first_statement_is_asked_with_the_title(tmp_path: Path, text: str, asked: str) -> None:
    """The title and what the document says first; what cannot be cited as a sentence is passed over."""
    (tmp_path / "a.md").write_text(text)

    assert own_questions(build_corpus(tmp_path).documents) == [asked]


def test_bare_headings_give_nothing_to_ask(tmp_path: Path) -> None:
    """A heading says nothing."""
    (tmp_path / "a.md").write_text("# Hello\n\n## There and back\n")

    assert own_questions(build_corpus(tmp_path).documents) == []


def test_no_more_than_wanted_are_asked_of_all_parts(tmp_path: Path) -> None:
    """A large corpus is asked here and there, not at its beginning alone."""
    for number in range(23):
        (tmp_path / f"{number:02}.md").write_text(f"# Part {number}\n\nThis is part {number}.\n")

    asked = own_questions(build_corpus(tmp_path).documents, most=5)

    assert (len(asked), asked[-1]) == (5, "Part 16: This is part 16.")
