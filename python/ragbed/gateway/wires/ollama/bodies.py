"""Bodies of Ollama's wire, read by the types of its Go package."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ragbed.gateway.threads import beside
from ragbed.gateway.wires.go_json import DecodeError, EmptyBodyError, Members, first_value, plain, unmarshal
from ragbed.gateway.wires.json_http import WireError, read_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from ragbed.gateway.wires.go_json import Kind

_NOT_IN_THE_HISTORY = frozenset({"model", "messages", "prompt", "input", "images"})


@dataclass(frozen=True, slots=True)
class Body:
    """A request's body.

    Attributes:
        fields: Every field by its type; the zero value where the client said nothing.
        arguments: What the client gave beside the prompt, as it was written.
    """

    fields: Mapping[str, Any]
    arguments: Mapping[str, Any]


async def read_body(request: Request, kind: Kind) -> Body:
    """Return the body of a request.

    Raises:
        WireError: There is none, it is too long, or Go's decoder would not take it.
    """
    body = await read_bytes(request)
    return await beside(len(body), parse_body, body, kind)


def parse_body(body: bytes, kind: Kind) -> Body:
    """Return what the bytes of a body hold; raise WireError."""
    try:
        value = first_value(body)
        fields = unmarshal(value, kind)
    except EmptyBodyError:
        raise WireError("missing request body") from None
    except DecodeError as error:
        raise WireError(str(error)) from None
    return Body(fields=fields, arguments=_arguments(value or Members()))


def _arguments(members: Members) -> dict[str, Any]:
    kept = [(name, value) for name, value in members if name.lower() not in _NOT_IN_THE_HISTORY]
    arguments: dict[str, Any] = plain(Members(kept))
    return {name: value for name, value in arguments.items() if value is not None}
