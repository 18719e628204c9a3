"""YAML front matter, read as it was written: `3.10`, `12:30` and `no` stay the texts that they are."""

from __future__ import annotations

import re

from ragbed.errors import DocumentError

MOST_BYTES = 64 * 1024
"""A longer front matter is refused: it is data, and a parser of YAML may take very long for it."""

_FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n(.*?)^---[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
_OPENED = re.compile(r"\A---[ \t]*\r?\n")
_OPENS_A_LEVEL = re.compile(r"[\[{?-]")
_MOST_LEVELS = 200  # libyaml recurses on the C stack and ends the process some ten thousand levels down

Scalar = str | list["Scalar"] | dict[str, "Scalar"]
FrontMatter = dict[str, Scalar]


def split_front_matter(text: str) -> tuple[FrontMatter, str]:
    """Return the front matter of a text and what follows it.

    Args:
        text: Markdown; without front matter it comes back whole.

    Returns:
        Keys with texts, lists and mappings of texts: no value is converted.

    Raises:
        DocumentError: The front matter is broken, too long, or never closed.
    """
    match = _FRONT_MATTER.match(text)
    if match is None:
        if _OPENED.match(text) and _looks_like_yaml(text.split("\n", 2)[1]):
            raise DocumentError("front matter is opened by --- and never closed")
        return {}, text
    return _load(match[1]), text[match.end() :]


def _looks_like_yaml(line: str) -> bool:
    """Tell front matter from a thematic break that opens the text."""
    return re.match(r"[A-Za-z_][\w-]*\s*:", line) is not None


def _load(text: str) -> FrontMatter:
    import yaml  # noqa: PLC0415 - an unchanged corpus needs none

    size = len(text.encode("utf-8", "replace"))
    if size > MOST_BYTES:
        raise DocumentError(f"front matter of {size:,} bytes, the limit is {MOST_BYTES:,}")
    may_recurse = len(_OPENS_A_LEVEL.findall(text)) > _MOST_LEVELS
    loader = yaml.BaseLoader if may_recurse else getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        value = yaml.load(text, Loader=loader)  # noqa: S506 - the base loader makes texts, lists and mappings
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DocumentError(f"broken front matter: {_problem(error)}") from error
    if value in (None, ""):
        return {}
    if not isinstance(value, dict):
        kind = "a text" if isinstance(value, str) else f"a {type(value).__name__}"
        raise DocumentError(f"broken front matter: {kind}, not keys and values")
    return {str(key): item for key, item in value.items()}


def _problem(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).split("\n", 1)[0] or type(error).__name__
    # The first line of the front matter is line 2 of the file.
    return f"{problem} in line {mark.line + 2}" if mark else str(problem)
