"""What to ask of a corpus without golden questions: its own first sentences."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ragbed.pipeline import Document

_FENCED = re.compile(r"^[ \t]*(```|~~~).*?(?:^[ \t]*\1|\Z)", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^[ \t]*#{1,6}(?:[ \t].*)?$", re.MULTILINE)
_ITEM = re.compile(r"^[ \t]*[-*+][ \t]+([^\W_].*[^?\s])[ \t]*$", re.MULTILINE)
_STARTS_PROSE = re.compile(r"[^\W_]")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_LONGEST = 200  # characters of a sentence that are asked for


def own_questions(documents: Sequence[Document], *, most: int = 5) -> list[str]:
    """Return what documents spread over a corpus can answer: the title with the first sentence of each.

    Args:
        documents: The corpus.
        most: How many questions at most.

    Returns:
        Questions; empty where no document holds a sentence, as in a folder of bare headings.
    """
    askable = [
        f"{document.title}: {sentence[:_LONGEST]}"
        for document in documents
        if (sentence := next(_sentences(document.body), ""))
    ]
    return askable[:: max(1, len(askable) // most)][:most]


def _sentences(body: str) -> Iterator[str]:
    """Yield statements of a Markdown text: those of its prose, then items of its lists; no headings, tables or code."""
    text = _HEADING.sub("\n", _FENCED.sub("\n\n", body))
    for paragraph in re.split(r"\n\s*\n", text):
        if _STARTS_PROSE.match(paragraph.strip()):
            yield from (
                one for one in _SENTENCE_END.split(" ".join(paragraph.split())) if not one.endswith("?")
            )
    for item in _ITEM.findall(text):
        yield item.strip()
