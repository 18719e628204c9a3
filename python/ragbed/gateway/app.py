"""The gateway as an ASGI application: a wire in front, an engine behind, the control API beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse

from ragbed.gateway.control import Control
from ragbed.gateway.engine import EngineError
from ragbed.gateway.history import History, WatchedEngine
from ragbed.gateway.mock import MockEngine
from ragbed.gateway.wires.json_http import WireError, failure, status_and_message
from ragbed.gateway.wires.ollama import LoadedModels, OllamaWire
from ragbed.gateway.wires.ollama import refusal as ollama_refusal
from ragbed.gateway.wires.openai import OpenAIWire
from ragbed.gateway.wires.openai import is_ours as is_openais
from ragbed.gateway.wires.openai import refusal as openai_refusal

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

SUBSTITUTE = "mock-llm"


def create_app(engine: MockEngine | None = None) -> ASGIApp:
    """Return the mock LLM behind Ollama's wire.

    Args:
        engine: The mock to serve; None makes one with the known models and no rules.
    """
    mock = engine or MockEngine()
    history = History()
    watched = WatchedEngine(mock, history)
    loaded = LoadedModels(watched)
    ollama, openai = OllamaWire(watched, loaded), OpenAIWire(watched, loaded)
    return Starlette(
        routes=[*ollama.routes(), *openai.routes(), *Control(mock, history).routes()],
        exception_handlers=dict.fromkeys((WireError, EngineError, HTTPException, Exception), _refused),
    )


def refusal(status: int, message: str, path: str) -> bytes:
    """Return the body with which a request is refused before it is looked at, in the shape of its wire."""
    return bytes(openai_refusal(status, message).body) if is_openais(path) else failure(message)


async def _refused(request: Request, error: Exception) -> Response:
    """Return a refusal in the shape of the wire that it goes to; what no wire knows is plain text."""
    if is_openais(request.url.path):
        status, message = status_and_message(error)
        return openai_refusal(status, message)
    if isinstance(error, HTTPException):
        return PlainTextResponse(error.detail, status_code=error.status_code, headers=error.headers)
    return ollama_refusal(error)
