"""`ragbed store` as its users type it."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from filled_stores import contents, fill

from ragbed.state import StateFolder

if TYPE_CHECKING:
    from ragbed.stack import Stack
    from ragbed.stores import IsolatedStore
    from ragbed_command import RagbedCommand

DOCS = Path(__file__).parents[3] / "docs"


def require_schema(value: Any, name: str) -> None:
    """Prove that a document is as its published schema says."""
    jsonschema.validate(value, json.loads((DOCS / f"{name}.schema.json").read_text(encoding="utf-8")))


def test_copy_empty_and_put_back(
    stack: Stack, stores: dict[str, IsolatedStore], ragbed_up: RagbedCommand
) -> None:
    """What a user types, and what the JSON says is as published."""
    fill(stack, "wren")
    before = contents(stack)
    snapshot = ragbed_up.json("store", "snapshot", "first", "--data-class", "synthetic")
    emptied = ragbed_up.run("store", "reset")
    census = ragbed_up.json("store", "census")
    restored = ragbed_up.json("store", "restore", "first")

    assert contents(stack) == before
    assert restored == snapshot
    assert emptied.stdout.splitlines() == [f"{name}: emptied" for name in stores]
    assert (census["stores"]["postgres"], census["stores"]["redis"], census["stores"]["qdrant"]) == (
        {},
        {},
        {},
    )
    require_schema(snapshot, "snapshot")
    require_schema(census, "census")
    require_schema(ragbed_up.json("store", "list"), "snapshots")
    assert ragbed_up.run("store", "remove", "first").stdout == "deleted the snapshot first\n"
    assert "there is no snapshot" in ragbed_up.run("store", "list").stdout


def test_one_service_alone(stack: Stack, stores: dict[str, IsolatedStore], ragbed_up: RagbedCommand) -> None:
    """The others keep what they have."""
    fill(stack, "wren")
    ragbed_up.run("store", "reset", "--service", "redis")

    left = ragbed_up.json("store", "census")["stores"]
    assert (len(left["postgres"]), len(left["redis"]), len(left["qdrant"])) == (2, 0, 2)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("restore", "nothing"), "ragbed: there is no snapshot nothing\ntry: there are: none\n"),
        (("remove", "nothing"), "ragbed: there is no snapshot nothing\ntry: ragbed store list\n"),
        (("snapshot", "No/name"), "ragbed: 'No/name' cannot be a snapshot's name"),
    ],
    ids=["no such", "none to remove", "name"],
)
def test_wrong_words_end_with_2(words: tuple[str, ...], said: str, ragbed_up: RagbedCommand) -> None:
    """The first line names what is wrong."""
    done = ragbed_up.run("store", *words)

    assert done.returncode == 2
    assert done.stderr.startswith(said)


def test_without_a_stack_it_says_so(ragbed: RagbedCommand) -> None:
    """Nothing is started only to be emptied."""
    done = ragbed.run("store", "reset")

    assert done.returncode == 10
    assert "no postgres is up" in done.stderr


def test_production_is_refused(ragbed: RagbedCommand) -> None:
    """Before a client is made."""
    assert ragbed.run("store", "reset", APP_ENV="production").returncode == 13


def test_a_killed_snapshot_leaves_none_of_its_name(
    stack: Stack, stores: dict[str, IsolatedStore], ragbed_up: RagbedCommand
) -> None:
    """At whichever store it is killed; the next one removes what is left and is whole."""
    fill(stack, "wren")
    before, root = contents(stack), StateFolder(ragbed_up.state).snapshots
    for service in stores:
        process = ragbed_up.popen("store", "snapshot", "killed")
        assert process.stdout is not None
        while f"copying {service}" not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        if (root / "killed").exists():  # it was faster than the signal: then it is whole
            assert [one["name"] for one in ragbed_up.json("store", "list")["snapshots"]] == ["killed"]
            ragbed_up.run("store", "remove", "killed")

    ragbed_up.json("store", "snapshot", "whole")
    assert [path.name for path in root.iterdir()] == ["whole"]
    ragbed_up.run("store", "reset")
    ragbed_up.json("store", "restore", "whole")
    assert contents(stack) == before
    ragbed_up.run("store", "remove", "whole")


def test_a_killed_restore_is_finished_by_the_next(
    stack: Stack, stores: dict[str, IsolatedStore], ragbed_up: RagbedCommand
) -> None:
    """Whichever store it is killed at, doing it again gives what the snapshot holds."""
    fill(stack, "wren")
    before = contents(stack)
    ragbed_up.json("store", "snapshot", "kept")
    for service in stores:
        process = ragbed_up.popen("store", "restore", "kept")
        assert process.stdout is not None
        while f"putting {service} back" not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        ragbed_up.json("store", "restore", "kept")
        assert contents(stack) == before
    ragbed_up.run("store", "remove", "kept")
