"""The gateway as an ASGI application: wires in front, an engine behind, the control API beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException

from ragbed.gateway.calls import Calls
from ragbed.gateway.control import Control
from ragbed.gateway.engine import EngineError
from ragbed.gateway.faults import Faults
from ragbed.gateway.journal import Journal
from ragbed.gateway.mock import MockEngine
from ragbed.gateway.sending import as_response
from ragbed.gateway.wires.json_http import WireError
from ragbed.gateway.wires.ollama import OllamaWire
from ragbed.gateway.wires.openai import OpenAIWire

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

    from ragbed.gateway.exchange import Step, Wire

WIRES: tuple[Wire, ...] = (OllamaWire(), OpenAIWire())


def create_app(
    engine: MockEngine | None = None, *, wires: Sequence[Wire] = WIRES, steps: Sequence[Step] = ()
) -> ASGIApp:
    """Return the mock LLM behind wires.

    Args:
        engine: The mock to serve; None makes one with the known models and no rules.
        wires: The protocols to speak. One of them has an empty prefix, and refuses what belongs to no other.
        steps: What every call goes through behind the journal, the first one outermost.
    """
    mock = engine or MockEngine()
    journal, faults = Journal(), Faults(wires)
    calls = [route for wire in wires for route in Calls(wire, mock, (journal, *steps, faults)).routes()]
    others = [route for wire in wires for route in wire.routes(mock)]

    async def refuse(request: Request, error: Exception) -> Response:
        path = request.url.path
        return as_response(wire_of(path, wires).refuse(error, path))

    return Starlette(
        routes=[
            *calls,
            *others,
            *Control(mock, journal, faults).routes(),
        ],  # tried in this order: the frequent ones first
        exception_handlers=dict.fromkeys((WireError, EngineError, HTTPException, Exception), refuse),
    )


def wire_of(path: str, wires: Sequence[Wire]) -> Wire:
    """Return the wire that a path belongs to: the one whose prefix is the longest that begins it."""
    own = [wire for wire in wires if wire.prefix in {"", path} or path.startswith(f"{wire.prefix}/")]
    return max(own, key=lambda wire: len(wire.prefix))


def refusal(status: int, message: str, path: str) -> bytes:
    """Return the body with which a request is refused before it is looked at, in the shape of its wire."""
    return bytes(as_response(wire_of(path, WIRES).refuse(WireError(message, status=status), path)).body)
