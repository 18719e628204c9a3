"""docs/attach.md has every line that the tests of this folder see, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import test_attached_ollama
import test_attached_postgres
import test_attached_qdrant
import test_attached_redis
import test_broken_listeners

PAGE = Path(__file__).parents[3] / "docs" / "attach.md"
OTHERS = (
    "nothing listens there",
    "no address is known for the host absent.invalid",
    "it asks for a client certificate, and ragbed sends none",
    "it accepts connections, and sends no answer within 5 s",
    "it answers / with a stream that has no end",
    "a pooler that lends connections for one transaction stands before it",
)
"""Lines of tests that have no table."""


def _listed() -> list[str]:
    """Return the lines of the page: what stands in backquotes in the first cell of a row."""
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    return [code for row in rows for code in re.findall(r"`([^`]+)`", row.split(" | ")[0])]


def _seen() -> list[str]:
    tables = (test_attached_postgres, test_attached_redis, test_attached_qdrant, test_attached_ollama)
    cases = [case.values[0].seen for module in tables for case in module.CASES]
    return [*cases, *(seen for _, seen in test_broken_listeners.LISTENERS.values()), *OTHERS]


def test_every_line_is_on_the_page() -> None:
    """A user who searches the page for the line finds what to do."""
    listed = _listed()

    assert [seen for seen in _seen() if not any(seen.startswith(line) for line in listed)] == []


def test_every_line_of_the_page_is_one_that_comes() -> None:
    """The page promises nothing that no test has seen."""
    seen = _seen()

    assert [line for line in _listed() if not any(one.startswith(line) for one in seen)] == []
