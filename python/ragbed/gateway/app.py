"""The gateway as an ASGI application: a wire in front, an engine behind, the control API beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette

from ragbed.gateway.control import Control
from ragbed.gateway.engine import EngineError
from ragbed.gateway.history import History, WatchedEngine
from ragbed.gateway.mock import MockEngine
from ragbed.gateway.wires.json_http import WireError, refused
from ragbed.gateway.wires.ollama import OllamaWire

if TYPE_CHECKING:
    from starlette.types import ASGIApp

SUBSTITUTE = "mock-llm"


def create_app(engine: MockEngine | None = None) -> ASGIApp:
    """Return the mock LLM behind Ollama's wire.

    Args:
        engine: The mock to serve; None makes one with the known models and no rules.
    """
    mock = engine or MockEngine()
    history = History()
    wire = OllamaWire(WatchedEngine(mock, history))
    return Starlette(
        routes=[*wire.routes(), *Control(mock, history).routes()],
        exception_handlers={WireError: refused, EngineError: refused},
    )
