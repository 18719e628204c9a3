"""The gateway as a process."""

from __future__ import annotations

from ragbed.asgi import DEFAULT_HOST, run_server
from ragbed.gateway.app import SUBSTITUTE, create_app
from ragbed.gateway.wires.json_http import failure


def serve(*, port: int, host: str = DEFAULT_HOST) -> None:
    """Serve the mock LLM until SIGTERM or SIGINT.

    Args:
        port: TCP port; 0 takes a free one, which the ready line names.
        host: Loopback address.

    Raises:
        UsageError: The host is not a loopback address, or the port is outside 0 to 65535.
        ConfigurationError: The port cannot be bound.
    """
    run_server(
        create_app(),
        name="ragbed.gateway",
        host=host,
        port=port,
        refusal=lambda _, message: failure(message),
        substitute=SUBSTITUTE,
    )
