"""MDX made readable as Markdown: imports, exports and component tags go, everything else stays."""

from __future__ import annotations

import re

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_MODULE_LINE = re.compile(
    r"^(import\s+(\S.*\s+from\s+)?['\"]|import\s*\{|export\s+(const|let|default|function)\b)"
)
_TAG = re.compile(r"</?[A-Z][\w.]*(\s[^<>]*)?/?>|</?>")
_COMMENT = re.compile(r"\{/\*.*?\*/\}")


def to_markdown(text: str) -> str:
    """Return MDX without its module lines, component tags and comments.

    Args:
        text: MDX after its front matter. Code fences are left alone. Several lines of one import or export
            go up to the line that closes its braces.

    Returns:
        Markdown with as many lines as the text had.
    """
    lines: list[str] = []
    fence = ""
    open_braces = 0
    for line in text.split("\n"):
        if open_braces > 0:
            open_braces += _braces(line)
            lines.append("")
            continue
        mark = _FENCE.match(line)
        if mark and (not fence or mark[1].startswith(fence)):
            fence = "" if fence else mark[1]
        elif not fence and _MODULE_LINE.match(line):
            open_braces = _braces(line)
            line = ""  # noqa: PLW2901 - the line is gone
        elif not fence:
            line = _TAG.sub("", _COMMENT.sub("", line))  # noqa: PLW2901 - the line without its tags
        lines.append(line)
    return "\n".join(lines)


def _braces(line: str) -> int:
    return line.count("{") - line.count("}")
