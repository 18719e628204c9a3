"""The gateway as a process."""

from __future__ import annotations

from typing import Any

from ragbed.asgi import DEFAULT_HOST, run_server
from ragbed.gateway.app import create_app, refusal
from ragbed.gateway.mock import MockEngine, declared_models, offered_models
from ragbed.settings import resolve_settings
from ragbed.stack.section import MOCK_ANY_MODEL, MOCK_MODELS


def serve(*, port: int, host: str = DEFAULT_HOST) -> None:
    """Serve the mock LLM until SIGTERM or SIGINT, with the models that the project in the current folder declares.

    Args:
        port: TCP port; 0 takes a free one, which the ready line names.
        host: Loopback address.

    Raises:
        UsageError: The host is not a loopback address, or the port is outside 0 to 65535.
        ConfigurationError: The port cannot be bound, or a setting is wrong.
    """
    engine = _engine()
    run_server(
        create_app(engine),
        name="ragbed.gateway",
        host=host,
        port=port,
        refusal=refusal,
        substitute=engine.identity.substitute,
    )


def _engine() -> MockEngine:
    settings = resolve_settings()
    declarations: dict[str, dict[str, Any]] = settings[MOCK_MODELS]
    models = [*offered_models(), *declared_models(declarations)]
    return MockEngine(models, any_model=settings[MOCK_ANY_MODEL])
