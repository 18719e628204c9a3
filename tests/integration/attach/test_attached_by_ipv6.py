"""Services of others that listen on IPv6 alone: by their address they are reached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from attach_cases import UNMARKED, given
from other_sockets import relay

from ragbed.errors import GuardRefused

if TYPE_CHECKING:
    from pathlib import Path

    from others import Others

FORMS = {
    "postgres": "postgresql://owner:sesame-of-others@{}:{}/theirs",
    "redis": "redis://{}:{}/0",
    "qdrant": "http://{}:{}",
}


@pytest.mark.parametrize("service", FORMS)
def test_a_server_of_ipv6_alone_is_reached(service: str, others: Others, tmp_path: Path) -> None:
    """It is asked for its marker, like any other."""
    server: Any = getattr(others, service)
    try:
        listener = others.listener(relay(server.port, {}), host="::1")
    except OSError as error:
        pytest.skip(f"this machine has no IPv6: {error}")

    with pytest.raises(GuardRefused, match=UNMARKED):
        given(service, FORMS[service].format("[::1]", listener.port), tmp_path)
