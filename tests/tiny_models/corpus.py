"""A corpus from a seed, for tests and measurements: documents of seven sections, each of which becomes one chunk."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from ragbed.tokens import estimate_tokens

if TYPE_CHECKING:
    from pathlib import Path

CHUNK_TOKENS = 256
"""The budget under which a section is one chunk, whatever its length."""

_LEAST, _MOST = 120, 250
_SECTIONS = 7
_TEXT = """
the a one this each no every some server client model vector query index store cache queue lock lease port disk log file
folder token batch chunk prompt answer seed test run build release branch tag digest layer pin range error retry limit
budget cost second minute hour day reads writes sends keeps finds loses holds drops counts checks names shows starts
stops waits fails repeats returns small large early late open closed local shared private stable slow fast first last
before after while because until unless when where with without under over from into about between quiet green north
river stone bread window garden letter number paper winter summer market island bridge engine signal mirror
"""
_WORDS = _TEXT.split()


def write_corpus(folder: Path, *, chunks: int, seed: int) -> None:
    """Write Markdown documents that make so many chunks of 120 to 250 estimated tokens.

    Args:
        folder: Where to; it is made.
        chunks: How many, at least 1.
        seed: Another seed, other texts; the same one, the same bytes on every machine.
    """
    folder.mkdir(parents=True, exist_ok=True)
    draw = random.Random(seed)  # noqa: S311 - reproducible, not secret
    for number, first in enumerate(range(0, chunks, _SECTIONS)):
        count = min(_SECTIONS, chunks - first)
        sections = "\n\n".join(section(draw, f"Section {first + place}") for place in range(count))
        (folder / f"document-{number:04}.md").write_text(
            f"# Document {number}\n\n{sections}\n", encoding="utf-8"
        )


def section(draw: random.Random, heading: str) -> str:
    """Return a section with a heading and a paragraph of sentences."""
    wanted = draw.randint(_LEAST, _MOST - 16)  # a sentence may go over
    text = f"## {heading}\n\n"
    while estimate_tokens(text) < wanted:
        words = draw.choices(_WORDS, k=draw.randint(6, 14))
        text += f"{' '.join(words).capitalize()}. "
    return text.rstrip()
