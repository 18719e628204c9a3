"""The light clients tell what went wrong without a password or a key."""

from __future__ import annotations

import os

import pytest

from ragbed.guard import WrongService
from ragbed.guard.libpq import fitting_environment, is_private
from ragbed.stack.registry import kind_of

PRIVATE = "postgresql://ragbed:ragbed@127.0.0.1:5/ragbed"


@pytest.mark.parametrize(
    ("service", "url", "api_key"),
    [
        pytest.param("postgres", "postgresql://u:se%krXet@127.0.0.1:1/x", "", id="percent"),
        pytest.param("postgres", "postgresql://u@127.0.0.1:1/x?sekrXet", "", id="option"),
        pytest.param("qdrant", "http://127.0.0.1:1", "abc\ndefse%krXet", id="key-of-two-lines"),
        pytest.param("qdrant", "http://127.0.0.1:1", "krXet\u2026", id="key-with-an-ellipsis"),
    ],
)
def test_what_a_client_cannot_send_is_not_shown(service: str, url: str, api_key: str) -> None:
    """An address or a key that the client refuses by itself is refused in words of our own."""
    with pytest.raises(WrongService) as caught:
        kind_of(service).client(url, api_key=api_key).identify()

    assert "krXet" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "private"),
    [
        (PRIVATE, True),
        ("postgresql://ragbed:ragbed@127.0.0.1:5/clone_1", True),
        ("postgresql://ragbed:8c1f%40@127.0.0.1:5/ragbed", True),
        ("postgresql://ragbed@127.0.0.1:5/ragbed", False),
        (f"{PRIVATE}#?host=elsewhere", False),
        (f"{PRIVATE}?options=x", False),
        ("postgresql://me:ragbed@127.0.0.1:5/ragbed", False),
        ("postgresql://ragbed:ragbed@db.example.com:5/ragbed", False),
        ("redis://ragbed:ragbed@127.0.0.1:5/ragbed", False),
    ],
)
def test_only_a_postgres_of_ours_is_private(url: str, private: bool) -> None:
    """It is told by the user and host, with a password, that ragbed gives to every one it starts."""
    assert is_private(url) is private


def test_a_private_postgres_is_reached_without_the_users_own_variables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """PGSSLMODE and PGSERVICE are for other servers; afterwards they are there again."""
    monkeypatch.setenv("PGSSLMODE", "require")
    monkeypatch.setenv("PGSERVICE", "nosuch")

    with fitting_environment(PRIVATE):
        inside = [name for name in os.environ if name.startswith("PG")]

    assert (inside, os.environ["PGSSLMODE"], os.environ["PGSERVICE"]) == ([], "require", "nosuch")


def test_another_postgres_is_reached_as_the_users_variables_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who gave an address may have given the rest by libpq's variables."""
    monkeypatch.setenv("PGSSLMODE", "require")

    with fitting_environment("postgresql://me@127.0.0.1/app"):
        assert os.environ["PGSSLMODE"] == "require"
