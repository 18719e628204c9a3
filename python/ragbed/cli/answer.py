"""How `ragbed ask` shows an answer: on a terminal word by word, then what it rests on."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from ragbed.cli.output import show_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from ragbed.pipeline import Answer


class AnswerText:
    """Shows the text of an answer as the model writes it, where stdout is a terminal and the answer is for people."""

    def __init__(self, *, as_json: bool) -> None:
        self._streams = sys.stdout.isatty() and not as_json
        self._begun = False

    @property
    def on_text(self) -> Callable[[str], None] | None:
        """Takes each piece of the text; None where the whole is shown at the end."""
        return self._piece if self._streams else None

    def end(self, answer: Answer) -> None:
        """Show the text, or end the line of the one that was shown."""
        click.echo("" if self._begun else answer.text)

    def _piece(self, text: str) -> None:
        shown = text if self._begun else text.lstrip()
        if shown:
            self._begun = True
            click.echo(shown, nl=False)
            sys.stdout.flush()


def show_sources(answer: Answer, *, mocked: bool) -> None:
    """Print who answered, the passages that were given, and the gap if there is one."""
    model = f"{answer.model} (mock)" if mocked else answer.model
    verb = "answered" if answer.answered else "refused"
    click.echo(f"\n{verb} by {model} in {answer.seconds:.2f} s")
    rows = [
        (
            f"[{number}]",
            *(passage.document, passage.heading, f"{passage.score:.2f}"),
            *(_side(passage.dense_score), _side(passage.sparse_score)),
        )
        for number, passage in enumerate(answer.passages, 1)
    ]
    if rows:
        show_table(
            ["", "document", "heading", "score", "cosine", "BM25"], rows, right=["score", "cosine", "BM25"]
        )
    for sentence in answer.flagged:
        click.echo(f"flagged, cites what was not given: {sentence}")
    if answer.gap:
        click.echo(f"gap: {answer.gap.kind}: {answer.gap.subject}")
        for reason in answer.gap.reasons:
            click.echo(f"  {reason}")


def _side(score: float | None) -> str:
    return "-" if score is None else f"{score:.2f}"
