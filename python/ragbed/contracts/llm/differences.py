"""Where the mock is known to differ from a real Ollama: what it gives, and why it is left so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ragbed.contracts.llm.case import Case, Facts

AT_MOST = 5
"""More than these are too many: whoever tests on a mock must be able to keep them in mind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """One case that the mock answers otherwise.

    Attributes:
        facts: What the mock gives.
        reason: Why.
    """

    facts: Facts
    reason: str


KNOWN = {
    "server: models are managed: deleting or copying one that is not there is 404": Deviation(
        facts={"delete": 501, "copy": 501, "blob": 501},
        reason="its models are fixed: pull, push, create, copy, delete and blobs are answered 501, so that nobody"
        " believes to have changed something",
    ),
    "embed: a chat model embeds too": Deviation(
        facts={"status": 400, "vectors": 0},
        reason="a chat model that embeds is a slip in the configuration: the mock refuses it, and a test finds it",
    ),
    "answer: a template of the request shapes the prompt": Deviation(
        facts={"more_tokens": False},
        reason="there is no model that a template could serve: the messages are read as they are",
    ),
    "answer: log probabilities are given where asked for: of each token, and of the likeliest beside it": Deviation(
        facts={"given": [False, False], "first": {}},
        reason="its words are quoted, not drawn: there are no probabilities to tell",
    ),
    "options: other seeds give other texts": Deviation(
        facts={"different": [False, False]},
        reason="the same request gives the same bytes whatever the seed and the temperature: that is what it is for",
    ),
}


def expected(case: Case, *, mock: bool) -> Facts:
    """Return what a case must give on the mock, or on a real server."""
    known = KNOWN.get(case.id) if mock else None
    return known.facts if known else case.expected
