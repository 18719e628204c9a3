"""Text that others wrote, made harmless for a terminal, for JSON that a terminal shows, and for Markdown.

A document, a file's name or a service's log may hold control characters: OSC 52 writes the clipboard, others clear the
screen, forge lines, or show the letters of a line in another order than they stand in.
"""

from __future__ import annotations

import re

# C0 without tab and newline, DEL, C1, the controls that turn the direction of writing, halves of surrogate pairs.
_CONTROL = r"\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_ON_A_TERMINAL = re.compile(rf"[\x00-\x08\x0b-\x1f{_CONTROL}]")
_IN_JSON = re.compile(f"[{_CONTROL}]")
_IN_MARKDOWN = re.compile(
    r"[\\`*\[\]<>|~!]"
    r"|(?<![^\W_])_|_(?![^\W_])"  # inside of a word it is a letter like others
    r"|&(?=[#\w])"  # an entity
    r"|:(?=//)|(?<=\w)@(?=\w)|(?<=www)\."  # what becomes a link by itself
    r"|^(?:#|[-+=]|\d+[.)])",  # what opens a heading or a list
    re.IGNORECASE,
)


def terminal_text(text: str) -> str:
    r"""Return a text with its control characters written out, as `\x1b`; newline and tab stay."""
    return _ON_A_TERMINAL.sub(_written_out, text.replace("\r\n", "\n"))


def terminal_line(text: str) -> str:
    r"""Return a text as one line for a terminal: a newline too is written out, as `\n`."""
    return terminal_text(text).replace("\n", r"\n")


def terminal_json(document: str) -> str:
    """Return a JSON document with the control characters escaped that JSON itself leaves as they are."""
    return _IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", document)


def markdown_line(text: str) -> str:
    """Return a text as one line of Markdown that renders as the text: no link, image, HTML, heading or code."""
    line = " ".join(terminal_text(text).split())
    return _IN_MARKDOWN.sub(lambda match: f"{match[0][:-1]}\\{match[0][-1]}", line)


def markdown_code(text: str) -> str:
    """Return a text as a code span of Markdown, on one line."""
    line = " ".join(terminal_text(text).split()).replace("`", " ")
    return f"`{line}`" if line.strip() else ""


def _written_out(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
