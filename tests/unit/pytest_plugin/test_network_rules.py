"""Which addresses a test may reach."""

from __future__ import annotations

import pytest

from ragbed.pytest_plugin.network_guard.rules import refusal

ANYWHERE = [
    ("socket.connect", (None, ("api.openai.com", 443)), "socket.connect api.openai.com port 443"),
    (
        "socket.getaddrinfo",
        ("api.anthropic.com", 443, 0, 0, 0),
        "socket.getaddrinfo api.anthropic.com port 443",
    ),
    (
        "socket.getaddrinfo",
        (b"API.OpenAI.com.", "https", 0, 0, 0),
        "socket.getaddrinfo API.OpenAI.com. port https",
    ),
    ("socket.gethostbyname", ("my-own.openai.azure.com",), "socket.gethostbyname my-own.openai.azure.com"),
    ("socket.getaddrinfo", ("bedrock-runtime.eu-west-1.amazonaws.com", 443), "bedrock-runtime"),
]
BEYOND = [
    ("socket.connect", (None, ("192.0.2.7", 80)), "socket.connect 192.0.2.7 port 80"),
    ("socket.connect", (None, ("2001:db8::1", 80, 0, 0)), "socket.connect 2001:db8::1 port 80"),
    ("socket.sendto", (None, ("192.0.2.7", 53)), "socket.sendto 192.0.2.7 port 53"),
    ("socket.getaddrinfo", ("example.org", None, 0, 0, 0), "socket.getaddrinfo example.org"),
]
FINE = [
    ("socket.connect", (None, ("127.0.0.1", 80))),
    ("socket.connect", (None, ("::1", 80, 0, 0))),
    ("socket.connect", ()),
    ("socket.connect", (None, "/run/postgres.sock")),
    ("socket.connect", (None, b"\0abstract")),
    ("socket.getaddrinfo", ("localhost", 80, 0, 0, 0)),
    ("socket.getaddrinfo", ("app.localhost", 80, 0, 0, 0)),
    ("socket.getaddrinfo", (None, 0, 0, 0, 0)),
    ("socket.getaddrinfo", ("0.0.0.0", 0, 0, 0, 0)),  # noqa: S104
    ("socket.bind", (None, ("0.0.0.0", 0))),  # noqa: S104
    ("open", ("api.openai.com", "r", 0)),
]


@pytest.mark.parametrize(("event", "arguments", "told"), ANYWHERE)
@pytest.mark.parametrize("only_loopback", [True, False])
def test_no_test_reaches_a_paid_api(
    event: str, arguments: tuple[object, ...], told: str, only_loopback: bool
) -> None:
    """By its name, however it is written."""
    assert told in refusal(event, arguments, only_loopback=only_loopback)


@pytest.mark.parametrize(("event", "arguments", "told"), BEYOND)
def test_a_unit_test_stays_here(event: str, arguments: tuple[object, ...], told: str) -> None:
    """Another test may go there."""
    assert refusal(event, arguments, only_loopback=True) == told
    assert refusal(event, arguments, only_loopback=False) == ""


@pytest.mark.parametrize(("event", "arguments"), FINE)
def test_this_machine_is_free(event: str, arguments: tuple[object, ...]) -> None:
    """Loopback, Unix sockets, listening, and whatever is not a connection."""
    assert refusal(event, arguments, only_loopback=True) == ""
