"""An answer on a terminal appears as it is written; in a pipe and as JSON it comes whole."""

from __future__ import annotations

import io
import sys

import pytest

from ragbed.cli.answer import AnswerText
from ragbed.pipeline import Answer

ANSWER = Answer(
    question="Which port?",
    text="Port 7000. [1]",
    citations=(),
    passages=(),
    answered=True,
    grounded=True,
    refused=False,
    flagged=(),
    gap=None,
    model="m",
    prompt_tokens=None,
    answer_tokens=None,
    cached_embeddings=0,
    seconds=0.1,
)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def test_each_piece_is_shown_as_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blanks before the first word are left out, and the text is not shown again at the end."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    text = AnswerText(as_json=False)
    shown = []

    for piece in ["\n ", "Port ", "7000.", " [1]"]:
        assert text.on_text is not None
        text.on_text(piece)
        shown.append(terminal.getvalue())
    text.end(ANSWER)

    assert shown == ["", "Port ", "Port 7000.", "Port 7000. [1]"]
    assert terminal.getvalue() == f"{ANSWER.text}\n"


@pytest.mark.parametrize("terminal", [True, False], ids=["JSON on a terminal", "a pipe"])
def test_elsewhere_the_answer_comes_whole(terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """No piece is asked for."""
    stream = Terminal() if terminal else io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)

    text = AnswerText(as_json=terminal)
    text.end(ANSWER)

    assert (text.on_text, stream.getvalue()) == (None, f"{ANSWER.text}\n")
