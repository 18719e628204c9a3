"""JSON over HTTP as all our wires use it: bodies read and bounded, answers and errors written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from starlette.exceptions import HTTPException

from ragbed.gateway.engine import EngineError, InputTooLongError, ModelCannotError, ModelNotFoundError
from ragbed.gateway.exchange import RawResponse
from ragbed.gateway.sending import as_response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from ragbed.gateway.engine import Engine

MAX_BODY_BYTES = 64 * 1024 * 1024
"""Longest body that is read: some pictures, or a book. A longer one is refused before it fills the memory."""

_STATUS: dict[type[Exception], int] = {ModelNotFoundError: 404, ModelCannotError: 400, InputTooLongError: 400}


class WireError(Exception):
    """The client's request is wrong, or asks for what a substitute does not do.

    Args:
        message: A sentence for the client.
        status: HTTP status.
    """

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


async def read_bytes(request: Request) -> bytes:
    """Return the body of a request; raise WireError (413) where it is longer than `MAX_BODY_BYTES`."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > MAX_BODY_BYTES:
        raise _too_long()
    parts = bytearray()
    async for part in request.stream():
        parts += part
        if len(parts) > MAX_BODY_BYTES:
            raise _too_long()
    return bytes(parts)


async def read_object(request: Request, *, empty_is_none: bool = False) -> dict[str, Any]:
    """Return the JSON object in the body, whatever its content type.

    Args:
        request: The request.
        empty_is_none: Whether no body stands for an empty object.

    Raises:
        WireError: There is none, or it is too long.
    """
    body = await read_bytes(request)
    if not body and empty_is_none:
        return {}
    if not body:
        raise WireError("missing request body")
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise WireError(f"the request body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise WireError(f"the request body must be a JSON object, not {type(value).__name__}")
    return value


def json_answer(value: object, *, status: int = 200) -> RawResponse:
    """Return a value as an answer in JSON."""
    headers = {"content-type": "application/json; charset=utf-8"}
    return RawResponse(status=status, headers=headers, body=orjson.dumps(value))


def json_response(value: object, *, status: int = 200) -> Response:
    """Return a value as a JSON response."""
    return as_response(json_answer(value, status=status))


def unsupported(engine: Engine, advice: str) -> Callable[[Request], Awaitable[Response]]:
    """Return an endpoint that refuses what a server of the wire has, and its substitute has not.

    Args:
        engine: What answers in its place.
        advice: Ends the sentence.
    """

    async def refuse(request: Request) -> Response:
        raise WireError(
            f"{request.method} {request.url.path} is not supported by {engine.identity.title}{advice}",
            status=501,
        )

    return refuse


def status_and_message(error: Exception) -> tuple[int, str]:
    """Return the HTTP status and the sentence that a WireError or an EngineError stands for."""
    if isinstance(error, WireError):
        return error.status, error.message
    if isinstance(error, EngineError):
        hint = f"; {error.hint}" if error.hint else ""
        return _STATUS.get(type(error), 500), f"{error.message}{hint}"
    if isinstance(error, HTTPException):
        return error.status_code, error.detail
    return 500, "internal error"


def _too_long() -> WireError:
    return WireError(f"request body too large: the gateway reads at most {MAX_BODY_BYTES} bytes", status=413)
