"""JSON over HTTP as all our wires use it: bodies read and checked, answers and errors written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import Response

from ragbed.gateway.engine import InputTooLongError, ModelCannotError, ModelNotFoundError

if TYPE_CHECKING:
    from starlette.requests import Request

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


async def read_object(request: Request) -> dict[str, Any]:
    """Return the JSON object in the body, whatever its content type; raise WireError."""
    body = await request.body()
    if not body:
        raise WireError("missing request body")
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise WireError(f"the request body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise WireError(f"the request body must be a JSON object, not {type(value).__name__}")
    return value


def json_response(value: object, *, status: int = 200) -> Response:
    """Return a value as a JSON response."""
    return Response(orjson.dumps(value), status_code=status, media_type="application/json; charset=utf-8")


def failure(message: str) -> bytes:
    """Return the body of an error."""
    return orjson.dumps({"error": message})


def refused(_request: Request, error: Exception) -> Response:
    """Return the response to a WireError or an EngineError."""
    if isinstance(error, WireError):
        return json_response({"error": error.message}, status=error.status)
    return json_response({"error": str(error)}, status=_STATUS.get(type(error), 500))
