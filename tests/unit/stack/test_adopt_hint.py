"""The refusal of a store without a marker brings a command that can be copied, without a password in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragbed.stack.addresses import adopt_command

if TYPE_CHECKING:
    import pytest

URL = "redis://:sekret@127.0.0.1:6379/0"


def test_a_variable_stands_for_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shell puts the password in."""
    monkeypatch.setenv("REDIS_URL", URL)

    assert adopt_command(URL, named="REDIS_URL") == 'ragbed adopt "$REDIS_URL"'


def test_a_variable_without_a_scheme_does_not_stand_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """`ragbed adopt` tells the kind of store by the scheme."""
    monkeypatch.setenv("QDRANT_URL", "127.0.0.1:6333")

    assert (
        adopt_command("http://127.0.0.1:6333", named="QDRANT_URL") == "ragbed adopt 'http://127.0.0.1:6333'"
    )


def test_an_address_from_a_file_is_shown_where_it_is_no_secret() -> None:
    """A key of a file is nothing that a shell could put in."""
    url = "redis://127.0.0.1:6379/0"

    assert adopt_command(url, named="redis.url") == f"ragbed adopt '{url}'"


def test_an_address_with_a_password_from_a_file_is_named() -> None:
    """The place of the address is told instead of a command with stars in it."""
    said = adopt_command(URL, named="redis.url")

    assert said == "ragbed adopt URL, with the address that redis.url holds"
