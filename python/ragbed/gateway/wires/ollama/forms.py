"""How the body of each path is read: by which type, and into what. OpenAI's wire is Ollama's here as well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragbed.gateway.exchange import LlmRequest
from ragbed.gateway.threads import beside
from ragbed.gateway.wires.ollama.bodies import parse_body

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ragbed.gateway.engine import CompletionRequest, EmbeddingRequest, Engine
    from ragbed.gateway.exchange import Operation, RawRequest
    from ragbed.gateway.wires.go_json import Kind
    from ragbed.gateway.wires.ollama.bodies import Body


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How the body of a path is read.

    Attributes:
        operation: What a call of the path asks for.
        kind: Go's type of the body.
        ask: Returns what the engine is asked; raises WireError, and ModelNotFoundError where Ollama looks for the model
            before it reads on.
    """

    operation: Operation
    kind: Kind
    ask: Callable[[Body, Engine], CompletionRequest | EmbeddingRequest]


def operations(forms: Mapping[str, Form]) -> dict[str, Operation]:
    """Return what a call of each path asks for."""
    return {path: form.operation for path, form in forms.items()}


async def read_form(forms: Mapping[str, Form], raw: RawRequest, engine: Engine) -> LlmRequest:
    """Return what a call asks for; raise WireError or ModelNotFoundError."""
    form = forms[raw.path]
    body = await beside(len(raw.body), parse_body, raw.body, form.kind)
    return LlmRequest(path=raw.path, asks=form.ask(body, engine), fields=body.fields)
