"""Errors in OpenAI's shape, for whatever goes wrong below `/v1/`."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from ragbed.gateway.wires.json_http import json_response

if TYPE_CHECKING:
    from starlette.responses import Response

PREFIX = "/v1"
_TYPES = {400: "invalid_request_error", 404: "not_found_error"}


def is_ours(path: str) -> bool:
    """Tell whether a path belongs to this wire."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")


def refusal(status: int, message: str = "") -> Response:
    """Return a refusal.

    Args:
        status: HTTP status; it decides the type, as in Ollama.
        message: For the client; empty takes the status's own words.
    """
    error = {
        "message": message or HTTPStatus(status).phrase,
        "type": _TYPES.get(status, "api_error"),
        "param": None,
        "code": None,
    }
    return json_response({"error": error}, status=status)
