"""Variables that say again what the stack is: it is found all the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from fault_place import Place

if TYPE_CHECKING:
    from pathlib import Path


def lessons(place: Place) -> Path:
    """Write one document and return its folder."""
    folder = place.root.parent / "corpus"
    folder.mkdir()
    (folder / "one.md").write_text("# Ports\n\nA port that is taken is passed over.\n")
    return folder


@pytest.mark.parametrize(
    "environ",
    [{"MODEL_PROVIDER": "mock"}, {"VECTOR_DB_URL": "memory://"}, {"RAGBED_LLM__PROVIDER": "mock"}],
    ids=["provider", "memory", "own-variable"],
)
def test_stack_is_found_with_the_variables_it_was_started_with(place: Place, environ: dict[str, str]) -> None:
    """`ragbed ingest` uses the stack that `ragbed up -d` started under the same variables."""
    named = Place(place.root, environ)
    named.run("up", "-d")

    outcome = named.run("ingest", str(lessons(place)))

    assert outcome.code == 0, outcome


def test_stack_is_found_with_its_own_addresses(place: Place) -> None:
    """After `eval "$(ragbed env)"` the stack is still the one of `ragbed up`, and not four foreign services."""
    place.run("up", "-d")
    environ = json.loads(place.run("env", "--format", "json").out)

    outcome = Place(place.root, environ).run("smoke", "--stage", "stack", "--json")

    assert outcome.code == 0, outcome
    assert "the running stack of `ragbed up`" in json.loads(outcome.out)["stages"][1]["detail"]


def test_stack_with_another_provider_is_not_taken(place: Place) -> None:
    """A stack with the mock is not an answer to MODEL_PROVIDER=ollama."""
    place.run("up", "-d")

    outcome = place.run("smoke", "--stage", "stack", MODEL_PROVIDER="ollama")

    assert outcome.code == 10
