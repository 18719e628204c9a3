"""The prompt contract: numbered passages and one question in the user's message.

Passages:
[1] docs/a.md — Heading > Sub
passage text …

[2] …

Question: …
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_OPENING = re.compile(r"^Passages:[ \t]*$", re.MULTILINE)
_QUESTION = re.compile(r"^Question:[ \t]*", re.MULTILINE)
_HEADER = re.compile(r"^\[(\d+)\][ \t]*([^\n]*)\n?", re.MULTILINE)
_FENCE = re.compile(r"[ \t]*(```|~~~)")
_OWN_LINE = re.compile(r"[ \t]*(?:[-*+>|]|\d+[.)])[ \t|]?")
_HEADING = re.compile(r"[ \t]*#{1,6}[ \t]")
_SENTENCE_END = re.compile(
    r"""(?<![eE]\.g\.)(?<!i\.e\.)(?<=[.!?])[)"'\u2019\u201d*`]*\s+(?=[A-Z0-9"'\u201c`(\[*])|(?<=[\u3002\uff01\uff1f])\s*"""
)
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One numbered passage; `source` is the rest of its header line."""

    number: int
    source: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What a user message under the contract holds."""

    passages: tuple[Passage, ...]
    question: str


def parse_prompt(message: str) -> Prompt | None:
    """Return the passages and the question of a user message, or None when it is not under the contract.

    A passage begins where a line starts with the next number in brackets, so footnotes inside a passage are
    text; the question is the last line that begins with `Question:`, up to a blank line.
    """
    message = message.replace("\r\n", "\n")
    opening = _OPENING.search(message)
    questions = list(_QUESTION.finditer(message, opening.end())) if opening else []
    if opening is None or not questions:
        return None
    body = message[opening.end() : questions[-1].start()].strip("\n")
    question = message[questions[-1].end() :].partition("\n\n")[0].strip()
    return Prompt(passages=_passages(body), question=question)


def _passages(body: str) -> tuple[Passage, ...]:
    headers: list[re.Match[str]] = []
    for header in _HEADER.finditer(body):
        in_order = int(header[1]) == len(headers) + 1
        if in_order and (not headers or _follows_blank_line(header, body)):
            headers.append(header)
    ends = [header.start() for header in headers[1:]] + [len(body)] * bool(headers)
    return tuple(
        Passage(number=int(header[1]), source=header[2].strip(), text=body[header.end() : end].strip("\n"))
        for header, end in zip(headers, ends, strict=True)
    )


def _follows_blank_line(header: re.Match[str], body: str) -> bool:
    return body.endswith("\n\n", 0, header.start())


def sentences(text: str) -> list[str]:
    """Return the sentences of a Markdown passage, each a verbatim part of it, in order.

    A list item, a table row and a line of code stand alone; headings and fence marks are left out.
    """
    parts = [sentence.strip() for block in _blocks(text) for sentence in block.sentences()]
    return [sentence for sentence in parts if _LETTER.search(sentence)]


def headings(text: str) -> list[str]:
    """Return the heading lines of a Markdown passage."""
    return [line for line in text.splitlines() if _HEADING.match(line)]


@dataclass(slots=True)
class _Block:
    """A paragraph, list item, table row or line of code."""

    text: str
    is_code: bool

    def sentences(self) -> list[str]:
        if self.is_code:
            return [self.text]
        starts = [0, *(end.end() for end in _SENTENCE_END.finditer(self.text))]
        return [
            self.text[start:end] for start, end in zip(starts, [*starts[1:], len(self.text)], strict=True)
        ]


def _blocks(text: str) -> list[_Block]:
    blocks: list[_Block] = []
    in_code = open_paragraph = False
    for line in text.splitlines(keepends=True):
        if _FENCE.match(line):
            in_code = not in_code
            open_paragraph = False
        elif not line.strip() or (not in_code and _HEADING.match(line)):
            open_paragraph = False
        elif open_paragraph and not _OWN_LINE.match(line):
            blocks[-1].text += line
        else:
            blocks.append(_Block(line, in_code))
            open_paragraph = not in_code
    return blocks
