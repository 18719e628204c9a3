"""Text that others wrote does nothing on a terminal, in JSON or in Markdown."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragbed.escaping import markdown_code, markdown_line, terminal_json, terminal_line, terminal_text

TURNING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@given(text=st.text(alphabet=st.characters()))
def test_no_control_character_reaches_a_terminal(text: str) -> None:
    """But newline and tab; nor one that turns the direction of writing, nor half of a surrogate pair."""
    shown = terminal_text(text)

    assert {one for one in shown if unicodedata.category(one) in {"Cc", "Cs"}} <= {"\n", "\t"}
    assert not set(shown) & set(TURNING)
    shown.encode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]52;c;aGk=\x07", r"\x1b]52;c;aGk=\x07"),
        ("done\rfaked", r"done\x0dfaked"),
        ("one\r\ntwo", "one\ntwo"),
        ("\x9b2J", r"\x9b2J"),
        ("a\u202eb", r"a\u202eb"),
        ("caf\u00e9 \u4e2d \U0001f600\ta\n", "caf\u00e9 \u4e2d \U0001f600\ta\n"),
    ],
)
def test_what_is_harmless_stays_and_the_rest_is_written_out(text: str, shown: str) -> None:
    """So that the reader sees what is there."""
    assert terminal_text(text) == shown


def test_a_line_stays_one_line() -> None:
    """A newline in the name of a file forges none."""
    assert terminal_line("a\nragbed: all is well") == r"a\nragbed: all is well"


@given(value=st.text(alphabet=st.characters()))
def test_json_loses_nothing(value: str) -> None:
    """Escaped as JSON escapes it: a reader gets the same text."""
    document = terminal_json(json.dumps({value: value}, ensure_ascii=False))

    assert json.loads(document) == {value: value}
    assert terminal_text(document) == document


@pytest.mark.parametrize(
    ("text", "page"),
    [
        ("<img src=x onerror=alert(1)>", r"\<img src=x onerror=alert(1)\>"),
        ("[here](https://x)", r"\[here\](https\://x)"),
        ("![x](y)", r"\!\[x\](y)"),
        ("`code` **bold** ~~gone~~", r"\`code\` \*\*bold\*\* \~\~gone\~\~"),
        ("# heading", r"\# heading"),
        ("- item", r"\- item"),
        ("1. item", r"1\. item"),
        ("a|b", r"a\|b"),
        ("www.example.com me@example.com", r"www\.example.com me\@example.com"),
        ("&lt;b&gt; AT&T", r"\&lt;b\&gt; AT\&T"),
        ("_a_ __b__", r"\_a\_ \_\_b\_\_"),
        ("one\n\n# two", "one # two"),
        ("lessons/postgres_setup.md: why 3.10?", "lessons/postgres_setup.md: why 3.10?"),
    ],
)
def test_markdown_renders_the_text(text: str, page: str) -> None:
    """No HTML, link, image, heading, list, code or table comes of it."""
    assert markdown_line(text) == page


@pytest.mark.parametrize("text", ["a`b", "```", "a\n\nb", "\x1b[2J"])
def test_a_code_span_does_not_end_early(text: str) -> None:
    """It has one backtick at each end and one line."""
    span = markdown_code(text)

    assert span == "" or (span.count("`") == 2 and "\n" not in span and "\x1b" not in span)
