"""Documents cut into chunks along their structure, within a budget of tokens.

Laws: without overlap the chunks' texts, joined, are the document's body; no chunk exceeds the budget; a block (a
fence, a table, a list, a paragraph) that fits the budget is never cut.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from ragbed.pipeline.markdown import heading_text, syntax_tree
from ragbed.pipeline.records import Chunk
from ragbed.tokens import estimate_tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.tree import SyntaxTreeNode

    from ragbed.pipeline.records import Document

CHUNKING_VERSION = 1
"""Goes into the index's fingerprint: raise it whenever the same document gives other chunks."""

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")
_LINE_BREAK = re.compile(r"(?:\r\n|\r|\n)+")
_PARAGRAPH_END = re.compile(r"(?<=\n)(?:[ \t]*\n)+")
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+")
_SPACE = re.compile(r"\s+")
_SMALL_SHARE = 4  # a section below a quarter of the budget is joined with the next
_CONTAINERS = ("bullet_list", "ordered_list", "list_item", "blockquote")


def chunk_document(document: Document, *, budget: int = 200, overlap: int = 0) -> list[Chunk]:
    """Cut a document into chunks.

    Args:
        document: What to cut.
        budget: Estimated tokens that a chunk may have, at least 1.
        overlap: Tokens repeated from the end of the chunk before, in `Chunk.overlap`; 0 repeats nothing.

    Returns:
        At least one chunk, in order. A heading begins a new chunk unless the one before is small.
    """
    blocks = _blocks(document.body, budget) if document.markdown else _plain_blocks(document.body, budget)
    chunks: list[Chunk] = []
    for heading, text in _pack(blocks, budget):
        repeated = _tail(chunks[-1].text, overlap) if chunks and overlap else ""
        # The title is shown beside the heading path: a first heading that repeats it says nothing.
        path = heading[1:] if heading and heading[0] == document.title else heading
        chunks.append(Chunk(text=text, heading=path, index=len(chunks), overlap=repeated))
    return chunks


def embedded_text(title: str, chunk: Chunk) -> str:
    """Return what is embedded for a chunk: title and headings in one line, then its text."""
    context = " > ".join([title, *chunk.heading])
    return f"{context}\n{(chunk.overlap + chunk.text).strip()}"


@dataclass(slots=True)
class _Block:
    """A stretch of the body that is not cut."""

    text: str
    heading: tuple[str, ...]
    opens_section: bool = False


def _pack(blocks: list[_Block], budget: int) -> Iterator[tuple[tuple[str, ...], str]]:
    """Join neighbours up to the budget."""
    texts: list[str] = []
    heading: tuple[str, ...] = ()
    used = 0
    only_headings = True
    for block in blocks:
        size = estimate_tokens(block.text)
        new_section = block.opens_section and not only_headings and used >= budget // _SMALL_SHARE
        if texts and (new_section or used + size > budget):
            yield heading, "".join(texts)
            texts, used, only_headings = [], 0, True
        if only_headings:
            heading = block.heading
        only_headings = only_headings and block.opens_section
        texts.append(block.text)
        used += size
    if texts:
        yield heading, "".join(texts)


def _blocks(body: str, budget: int) -> list[_Block]:
    lines = _LINE.findall(body)
    blocks: list[_Block] = []
    path: list[tuple[int, str]] = []
    for node, text in _stretches(syntax_tree(body).children, lines, 0, len(lines)):
        if node is not None and node.type == "heading":
            level = int(node.tag[1:])
            path = [part for part in path if part[0] < level]
            path.append((level, heading_text(node)))
        heading = tuple(title for _, title in path if title)
        opens = node is not None and node.type == "heading"
        pieces = [text] if estimate_tokens(text) <= budget else _cut_node(node, text, lines, budget)
        blocks.extend(
            _Block(text=piece, heading=heading, opens_section=opens and not number)
            for number, piece in enumerate(pieces)
        )
    return blocks


def _plain_blocks(body: str, budget: int) -> list[_Block]:
    pieces: list[str] = []
    for paragraph in _split_after(_PARAGRAPH_END, body):
        pieces.extend(_cut_text(paragraph, budget))
    return [_Block(text=piece, heading=()) for piece in pieces]


def _stretches(
    nodes: list[SyntaxTreeNode], lines: list[str], first: int, last: int
) -> Iterator[tuple[SyntaxTreeNode | None, str]]:
    """Cover lines `first` to `last` by nodes; lines between two belong to the one before."""
    placed = [(node, node.map[0]) for node in nodes if node.map]
    starts = [*(start for _, start in placed), last]
    lead = "".join(lines[first : starts[0]])
    if lead:
        yield None, lead
    for (node, start), end in zip(placed, starts[1:], strict=True):
        text = "".join(lines[start:end])
        if text:
            yield node, text


def _cut_node(node: SyntaxTreeNode | None, text: str, lines: list[str], budget: int) -> list[str]:
    """Cut a block that is over the budget: a list by its items, all else by its text."""
    if node is None or node.type not in _CONTAINERS or not node.map:
        return _cut_text(text, budget)
    first = node.map[0]
    pieces: list[str] = []
    for child, part in _stretches(node.children, lines, first, first + len(_LINE.findall(text))):
        pieces.extend([part] if estimate_tokens(part) <= budget else _cut_node(child, part, lines, budget))
    return _join_small(pieces, budget)


def _cut_text(text: str, budget: int) -> list[str]:
    """Cut at the widest borders that do: lines, sentences, words, at last anywhere."""
    if estimate_tokens(text) <= budget:
        return [text]
    for border in (_LINE_BREAK, _SENTENCE_END, _SPACE):
        parts = _split_after(border, text)
        if len(parts) > 1:
            return _join_small([piece for part in parts for piece in _cut_text(part, budget)], budget)
    half = len(text) // 2
    return [*_cut_text(text[:half], budget), *_cut_text(text[half:], budget)]


def _split_after(border: re.Pattern[str], text: str) -> list[str]:
    """Split so that each border stays at the end of its part."""
    ends = [match.end() for match in border.finditer(text)]
    cuts = [0, *ends, len(text)]
    return [text[start:end] for start, end in pairwise(cuts) if end > start]


def _join_small(pieces: list[str], budget: int) -> list[str]:
    joined: list[str] = []
    used = 0
    for piece in pieces:
        size = estimate_tokens(piece)
        if joined and used + size <= budget:
            joined[-1] += piece
            used += size
        else:
            joined.append(piece)
            used = size
    return joined


def _tail(text: str, tokens: int) -> str:
    """Return the last words of a text within a number of tokens."""
    words = _split_after(_SPACE, text)
    used = 0
    for position in range(len(words) - 1, -1, -1):
        used += estimate_tokens(words[position])
        if used > tokens:
            return "".join(words[position + 1 :])
    return text
