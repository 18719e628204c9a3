"""The prompt contract: what the mock reads as passages, question and sentences."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragbed.gateway.mock.passages import headings, parse_prompt, sentences

PROMPT = """Passages:
[1] docs/a.md — Ports > Qdrant
Qdrant listens on 6333.
It speaks gRPC on 6334.

A second paragraph.

[2] docs/b.md
Redis listens on 6379.

Question: Which port is Qdrant's?
"""


def test_passages_carry_number_source_and_text() -> None:
    """A passage runs from its header to the next one, blank lines and all."""
    prompt = parse_prompt(PROMPT)

    assert prompt is not None
    assert [(one.number, one.source, one.text) for one in prompt.passages] == [
        (
            1,
            "docs/a.md — Ports > Qdrant",
            "Qdrant listens on 6333.\nIt speaks gRPC on 6334.\n\nA second paragraph.",
        ),
        (2, "docs/b.md", "Redis listens on 6379."),
    ]


def test_question_is_the_last_line_that_begins_so() -> None:
    """A passage may quote a question; the one asked comes last."""
    prompt = parse_prompt(PROMPT.replace("A second paragraph.", "Question: how so?"))

    assert prompt is not None
    assert prompt.question == "Which port is Qdrant's?"


@pytest.mark.parametrize(
    "line",
    ["[3] a footnote", "text\n[2] a reference right under text", "[1] the number again"],
    ids=["skips a number", "no blank line before", "number taken"],
)
def test_brackets_inside_a_passage_are_text(line: str) -> None:
    """Only the next number, after a blank line, begins a passage."""
    prompt = parse_prompt(PROMPT.replace("A second paragraph.", line))

    assert prompt is not None
    assert line in prompt.passages[0].text


@pytest.mark.parametrize(
    "message",
    ["", "Hello", "Question: alone?", "Passages:\n[1] a\ntext", "These Passages:\n[1] a\nt\n\nQuestion: q"],
    ids=["empty", "greeting", "no passages", "no question", "not at the start of a line"],
)
def test_other_messages_are_not_under_the_contract(message: str) -> None:
    """Without passages and question there is no prompt to answer from."""
    assert parse_prompt(message) is None


def test_windows_line_ends_are_read() -> None:
    """Carriage returns do not hide the contract."""
    assert parse_prompt(PROMPT.replace("\n", "\r\n")) == parse_prompt(PROMPT)


@given(message=st.text())
def test_any_message_is_read_without_an_error(message: str) -> None:
    """Whatever stands between the markers, reading it does not fail."""
    assert parse_prompt(f"Passages:\n{message}\nQuestion: {message}") is not None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("It says e.g. Redis. Then more.", ["It says e.g. Redis.", "Then more."]),
        ("Version 1.18.2 is out. Good.", ["Version 1.18.2 is out.", "Good."]),
        ("A wrapped\nsentence. Next.", ["A wrapped\nsentence.", "Next."]),
        ("# Heading\nText here.", ["Text here."]),
        ("Intro:\n- first item\n- second item", ["Intro:", "- first item", "- second item"]),
        ("```\nFATAL: no. Really\n# comment\n```\nAfter.", ["FATAL: no. Really", "# comment", "After."]),
        ("| a | b |\n|---|---|\n| c | d |", ["| a | b |", "| c | d |"]),
        ("---\n***", []),
    ],
    ids=["ends", "abbreviation", "numbers", "wrapped", "heading", "list", "code", "table", "rules"],
)
def test_markdown_falls_into_sentences(text: str, expected: list[str]) -> None:
    """Prose is parted at sentence ends; items, rows and code lines stand alone; headings are left out."""
    assert sentences(text) == expected


@given(text=st.text(alphabet="abC.!? \n#-|`1", max_size=80))
def test_sentences_are_verbatim_parts_in_order(text: str) -> None:
    """Every sentence is a substring of the passage, found after the one before it."""
    at = 0
    for sentence in sentences(text):
        at = text.index(sentence, at) + len(sentence)


def test_headings_are_found() -> None:
    """A passage's own headings tell what its sentences are about."""
    assert headings("## Ports\ntext\n### More") == ["## Ports", "### More"]
