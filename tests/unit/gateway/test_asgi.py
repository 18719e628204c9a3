"""Where our servers may listen."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from ragbed.asgi import container_host, listen, require_loopback
from ragbed.errors import ConfigurationError, UsageError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.53", "::1", "localhost"])
def test_loopback_is_allowed(host: str) -> None:
    """Addresses that only this machine reaches pass."""
    require_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.10", "example.org", ""])  # noqa: S104
def test_other_addresses_are_refused(host: str) -> None:
    """An address that others reach, or a name that may be one, is a usage error that names it."""
    with pytest.raises(UsageError, match=f"refused to listen on '{host}'"):
        require_loopback(host)


def test_only_our_images_listen_beyond_loopback(tmp_path: Path) -> None:
    """Elsewhere, the variable of our images is refused, not obeyed; in them it counts."""
    mark = tmp_path / "mark"
    environ = {"RAGBED_LISTEN": "0.0.0.0"}  # noqa: S104
    assert not container_host({}, str(mark))

    with pytest.raises(
        UsageError, match=r"RAGBED_LISTEN=0\.0\.0\.0 counts in ragbed's container images alone"
    ):
        container_host(environ, str(mark))

    mark.touch()
    assert container_host(environ, str(mark)) == "0.0.0.0"  # noqa: S104


def test_port_zero_takes_a_free_one() -> None:
    """The kernel chooses; the socket knows."""
    with listen("127.0.0.1", 0) as bound:
        assert bound.getsockname()[1] > 0


@pytest.mark.parametrize("port", [-1, 65536])
def test_impossible_port_is_refused(port: int) -> None:
    """A port outside the range is a usage error."""
    with pytest.raises(UsageError, match=f"port {port} is outside 0 to 65535"):
        listen("127.0.0.1", port)


def test_taken_port_is_named() -> None:
    """A port that somebody listens on is a configuration error with the way out."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(ConfigurationError, match=f"cannot listen on 127.0.0.1:{port}"):
            listen("127.0.0.1", port)
