"""Compare what the mock's wire says of bodies with what Go's decoder says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragbed.gateway.wires.json_http import WireError
from ragbed.gateway.wires.ollama import types
from ragbed.gateway.wires.ollama.bodies import parse_body
from tiny_models.go_judge import judge

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

KINDS = {
    "chat": types.CHAT,
    "generate": types.GENERATE,
    "embed": types.EMBED,
    "embeddings": types.EMBEDDINGS,
    "show": types.SHOW,
}


def read(path: str, body: bytes) -> str:
    """Return the mock's words for a body; empty where it takes it."""
    try:
        parse_body(body, KINDS[path])
    except WireError as error:
        return error.message
    return ""


def differences(program: Path, bodies: Iterable[tuple[str, bytes]]) -> list[str]:
    """Return a line for each body that the mock and Go's decoder do not judge in the same words.

    Args:
        program: The judge.
        bodies: With the endpoints that they are for.
    """
    given = list(bodies)
    rows = zip(given, judge(program, given), strict=True)
    found = [(path, body, read(path, body), _of_server(verdict.error)) for (path, body), verdict in rows]
    return [f"{path} {body!r}: {ours!r}, Go {gos!r}" for path, body, ours, gos in found if ours != gos]


def _of_server(error: str) -> str:
    """Return what Ollama's server makes of the decoder's error."""
    return "missing request body" if error == "EOF" else error
