"""The mock keeps the contract of a real Ollama, rule by rule, but for the differences that it is known by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ollama
import pytest

from ragbed.contracts.llm.ask import Models
from ragbed.contracts.llm.case import OLLAMA
from ragbed.contracts.llm.differences import AT_MOST, KNOWN, expected
from ragbed.contracts.llm.suite import ASKED, LEFT_OUT, cases, find
from ragbed.pins import load_stack_pins

if TYPE_CHECKING:
    from ragbed.contracts.llm.ask import Client
    from ragbed.contracts.llm.case import Case
    from ragbed.contracts.llm.suite import Server

CASES = cases()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
@pytest.mark.parametrize("client", ["sync", "async"])
def test_server_keeps_the_rule(server: Server, case: Case, client: Client) -> None:
    """By the official client, sync and async: the facts of a real Ollama, or the known difference."""
    assert find(server.url, case, client, Models()) == expected(case, mock=server.kind == "mock")


def test_every_method_has_cases_or_a_reason() -> None:
    """A new release of the client shows up here."""
    public = {name for name in vars(ollama.Client) if not name.startswith("_")}

    assert public == ASKED | set(LEFT_OUT)
    assert {name for name in vars(ollama.AsyncClient) if not name.startswith("_")} == public


def test_facts_are_those_of_the_pinned_ollama() -> None:
    """Where the pin moves, a real one is asked anew: `scripts/compare-llm` shows what has changed."""
    channel = load_stack_pins().services["ollama"].channels.go

    assert channel is not None
    assert channel.version == OLLAMA


def test_rules_are_unique() -> None:
    """A difference belongs to one case."""
    ids = [case.id for case in CASES]

    assert sorted(set(ids)) == sorted(ids)


def test_known_differences_are_few_and_reasoned() -> None:
    """Each belongs to a case, differs from the real facts, and says why."""
    real = {case.id: case.expected for case in CASES}

    assert len(KNOWN) <= AT_MOST
    assert [case for case, known in KNOWN.items() if known.facts == real[case] or not known.reason] == []
