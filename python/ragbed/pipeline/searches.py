"""Four GitHub searches for what a gap lacks, and the page on which a person reviews it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote_plus

from ragbed.escaping import markdown_code, markdown_line
from ragbed.pipeline.gaps import content_words

if TYPE_CHECKING:
    from ragbed.pipeline.records import Gap

_PLACES = ("repositories", "code", "issues", "discussions")
_MOST_WORDS = 5


def search_queries(question: str, subject: str) -> tuple[str, str, str, str]:
    """Return what to type into GitHub's search: for repositories, documentation, closed issues, discussions.

    Args:
        question: As asked.
        subject: What is missing; names come first in every search.
    """
    names = [word.strip(",") for word in subject.split()]
    others = [
        word for word in content_words(question) if word.lower() not in {name.lower() for name in names}
    ]
    words = " ".join([*names, *others][:_MOST_WORDS]) or " ".join(question.split())
    return (
        f"{words} in:name,description,readme stars:>10",
        f"{words} path:docs language:Markdown",
        f"{words} is:issue is:closed sort:comments-desc",
        f"{words} is:answered",
    )


def review_page(gap: Gap) -> str:
    """Return a gap as Markdown, for a person to decide what to write; what others wrote renders as it is."""
    searches = [
        f"- [{place}](https://github.com/search?q={quote_plus(query)}&type={place}): {markdown_code(query)}"
        for place, query in zip(_PLACES, gap.queries, strict=False)
    ]
    lines = [
        f"# Gap: {markdown_line(gap.subject)}",
        "",
        f"> {markdown_line(gap.question)}",
        "",
        f"- kind: `{gap.kind}`",
        f"- asked {_times(gap.times_asked)}, first on {gap.created_at:%Y-%m-%d}",
        f"- id: `{gap.id}`",
        "",
        "## Why",
        "",
        *[f"- {markdown_line(reason)}" for reason in gap.reasons],
        "",
        "## Nearest documents",
        "",
        *([f"- {markdown_line(path)}" for path in gap.evidence] or ["- none"]),
        "",
        "## Where to look",
        "",
        *searches,
        "",
        "## Decision",
        "",
        "- [ ] write a document",
        "- [ ] out of scope",
        "- [ ] covered: improve the wording of the document",
    ]
    return "\n".join(lines) + "\n"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"
