"""Ollama's endpoints beside the calls: what runs, and which models there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ragbed.gateway.wires.json_http import json_response, unsupported
from ragbed.gateway.wires.ollama import frames, types
from ragbed.gateway.wires.ollama.bodies import read_body
from ragbed.gateway.wires.ollama.names import model_name

if TYPE_CHECKING:
    from starlette.requests import Request

    from ragbed.gateway.engine import Engine

_NOT_SUPPORTED = ("pull", "push", "create", "copy", "delete", "blobs/{digest}", "signout", "me")
_EVERY_METHOD = ["GET", "POST", "PUT", "DELETE", "HEAD"]
_ADVICE = "; its models are fixed and its wire is Ollama's: set OLLAMA_HOST to a real Ollama"


class Catalogue:
    """Tells of an engine as Ollama tells of itself.

    Args:
        engine: Has the models.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def routes(self) -> list[Route]:
        """Return the endpoints."""
        refuse = unsupported(self._engine, _ADVICE)
        return [
            Route("/", self._greeting),
            Route("/api/version", self._version),
            Route("/api/tags", self._tags),
            Route("/api/ps", self._ps),
            Route("/api/show", self._show, methods=["POST"]),
            *(Route(f"/api/{name}", refuse, methods=_EVERY_METHOD) for name in _NOT_SUPPORTED),
        ]

    async def _greeting(self, _request: Request) -> Response:
        return PlainTextResponse(frames.greeting(self._engine.identity))

    async def _version(self, _request: Request) -> Response:
        return json_response(frames.version(self._engine.identity))

    async def _tags(self, _request: Request) -> Response:
        server = self._engine.identity
        return json_response({"models": [frames.listed(model, server) for model in self._engine.models()]})

    async def _ps(self, _request: Request) -> Response:
        server = self._engine.identity
        return json_response({"models": [frames.running(model, server) for model in self._engine.loaded()]})

    async def _show(self, request: Request) -> Response:
        fields = (await read_body(request, types.SHOW)).fields
        model = self._engine.model(model_name(fields["model"] or fields["name"]))
        return json_response(frames.shown(model, self._engine.identity))
