"""Markdown as a CommonMark parser sees it; inline markup is left as text."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.tree import SyntaxTreeNode


_OPENING_TITLE = re.compile(r"\s*^( {0,3}#[ \t]+[^\s#][^\r\n]*)", re.MULTILINE)


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # noqa: PLC0415 - an unchanged corpus needs none

    return MarkdownIt("commonmark").enable("table").disable("inline", ignoreInvalid=True)


@lru_cache(maxsize=1)  # a document is asked for its title first, then cut into chunks
def syntax_tree(body: str) -> SyntaxTreeNode:
    """Return the blocks of a text."""
    from markdown_it.tree import SyntaxTreeNode  # noqa: PLC0415 - an unchanged corpus needs none

    return SyntaxTreeNode(_parser().parse(body))


def first_heading(body: str) -> str:
    """Return the text of the first heading of level 1, else of the first heading; empty where there is none.

    A `#` within a code fence opens no heading. Most texts open with their title: then nothing else is parsed.
    """
    if opening := _OPENING_TITLE.match(body):
        body = opening[1]
    headings = [node for node in syntax_tree(body).children if node.type == "heading"]
    for node in [*(one for one in headings if one.tag == "h1"), *headings]:
        if text := heading_text(node):
            return text
    return ""


def heading_text(node: SyntaxTreeNode) -> str:
    """Return what a heading says, in one line."""
    return " ".join(node.children[0].content.split()) if node.children else ""
