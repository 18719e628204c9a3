"""Addresses in the one form that all clients read alike."""

from __future__ import annotations

import pytest

from ragbed.errors import ConfigurationError
from ragbed.stack.addresses import normalised


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("127.0.0.1", "http://127.0.0.1:11434"),
        ("127.0.0.1:8001", "http://127.0.0.1:8001"),
        (":8001", "http://127.0.0.1:8001"),
        ("0.0.0.0", "http://127.0.0.1:11434"),  # noqa: S104 - an address to ask, not to bind
        ("[::]:8001", "http://127.0.0.1:8001"),
        ("[::1]:8001", "http://[::1]:8001"),
        ("localhost", "http://localhost:11434"),
        ("http://127.0.0.1", "http://127.0.0.1:80"),
        ("https://127.0.0.1", "https://127.0.0.1:443"),
        ("http://127.0.0.1:8001/ollama/", "http://127.0.0.1:8001/ollama"),
    ],
)
def test_ollamas_variable_has_many_forms(said: str, meant: str) -> None:
    """OLLAMA_HOST may be a host, a port or a URL; a listener's address is asked on loopback."""
    assert normalised("ollama", said, named="OLLAMA_HOST") == meant


@pytest.mark.parametrize(
    ("service", "said", "meant"),
    [
        ("qdrant", "http://127.0.0.1", "http://127.0.0.1:6333"),
        ("qdrant", "https://127.0.0.1", "https://127.0.0.1:6333"),
        ("qdrant", "127.0.0.1:7000", "http://127.0.0.1:7000"),
        ("postgres", "postgresql+psycopg://me:pw@127.0.0.1/x", "postgresql://me:pw@127.0.0.1/x"),
        ("postgres", "postgres://me@127.0.0.1/x", "postgres://me@127.0.0.1/x"),
        ("postgres", "postgresql:///x?host=/run", "postgresql:///x?host=/run"),
        ("redis", "redis://127.0.0.1:1/0?db=2", "redis://127.0.0.1:1/0?db=2"),
    ],
)
def test_an_address_is_what_every_client_makes_of_it(service: str, said: str, meant: str) -> None:
    """Qdrant's port is its client's default; a driver in the scheme goes."""
    assert normalised(service, said, named="X") == meant


@pytest.mark.parametrize(
    ("service", "said", "scheme"),
    [
        ("postgres", "mysql://me:secret@127.0.0.1/x", "mysql"),
        ("postgres", "redis://127.0.0.1", "redis"),
        ("redis", "http://127.0.0.1", "http"),
        ("qdrant", "postgresql://127.0.0.1", "postgresql"),
        ("ollama", "unix://run/x", "unix"),
        ("redis", "redis+socket:///run/redis.sock", r"redis\+socket"),
        ("redis", "unix://:secret@/run/redis.sock", "unix"),
        ("qdrant", "http+unix:///run/qdrant.sock", r"http\+unix"),
    ],
)
def test_another_services_address_is_refused_without_its_secrets(
    service: str, said: str, scheme: str
) -> None:
    """A mix-up of variables is named as what it is."""
    with pytest.raises(ConfigurationError, match=f"THE_VARIABLE is a {scheme} address") as caught:
        normalised(service, said, named="THE_VARIABLE")

    assert "secret" not in caught.value.render()
