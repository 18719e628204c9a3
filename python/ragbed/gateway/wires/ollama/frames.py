"""Ollama's response bodies. Times of day in them are fixed, so that the same answer has the same bytes."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from ragbed._version import __version__
from ragbed.gateway.engine import Delta

if TYPE_CHECKING:
    from ragbed.gateway.engine import (
        Completion,
        CompletionRequest,
        Embeddings,
        EngineIdentity,
        Model,
        ToolCall,
    )

WIRE_VERSION = "0.24.0"
"""Version of the Ollama that this wire is compared with."""

MADE_AT = "2026-01-01T00:00:00Z"
_NEVER = "9999-12-31T00:00:00Z"


def greeting(server: EngineIdentity) -> str:
    """Return the text of `/`, which also says what answers."""
    return f"Ollama is running ({server.label})"


def version(server: EngineIdentity) -> dict[str, Any]:
    """Return the body of `/api/version`, which also says what answers."""
    return {"version": WIRE_VERSION, "ragbed": {"substitute": server.substitute, "version": __version__}}


def listed(model: Model, server: EngineIdentity) -> dict[str, Any]:
    """Return a model as `/api/tags` lists it."""
    return {
        "name": model.name,
        "model": model.name,
        "modified_at": MADE_AT,
        "size": model.size_bytes,
        "digest": model.digest,
        "details": _details(model, server),
    }


def running(model: Model, server: EngineIdentity) -> dict[str, Any]:
    """Return a model as `/api/ps` lists it."""
    rest = {key: value for key, value in listed(model, server).items() if key != "modified_at"}
    return {**rest, "expires_at": _NEVER, "size_vram": 0, "context_length": model.max_context}


def shown(model: Model, server: EngineIdentity) -> dict[str, Any]:
    """Return a model as `/api/show` describes it."""
    info: dict[str, Any] = {
        "general.architecture": model.family,
        f"{model.family}.context_length": model.max_context,
        "ragbed.substitute": server.substitute,
        "ragbed.trained_context_length": model.trained_context,
    }
    if model.dimensions:
        info[f"{model.family}.embedding_length"] = model.dimensions
    return {
        "modelfile": f"# {model.name}: {server.weights}\n",
        "template": "{{ .Prompt }}",
        "details": _details(model, server),
        "model_info": info,
        "capabilities": list(model.capabilities),
        "modified_at": MADE_AT,
    }


def embedded(model: str, embeddings: Embeddings) -> dict[str, Any]:
    """Return the body of `/api/embed`; no figures where there was nothing to embed."""
    body = {"model": model, "embeddings": embeddings.vectors}
    if not embeddings.vectors:
        return body
    return {
        **body,
        "total_duration": embeddings.timing.total_ns,
        "load_duration": embeddings.timing.load_ns,
        "prompt_eval_count": embeddings.input_tokens,
    }


def piece(asked: CompletionRequest, delta: Delta) -> dict[str, Any]:
    """Return one frame of a stream: as much of the answer as it carries."""
    return {"model": asked.model, "created_at": MADE_AT, **_content(asked, delta), "done": False}


def last(asked: CompletionRequest, delta: Delta, completion: Completion) -> dict[str, Any]:
    """Return the last frame of a stream (no text), or the whole answer of a call that does not stream."""
    timing = completion.timing
    with_context = asked.operation == "generate" and not asked.arguments.get("raw")
    return {
        **piece(asked, delta),
        "done": True,
        "done_reason": completion.finish_reason,
        **({"context": completion.tokens} if with_context else {}),
        "total_duration": timing.total_ns,
        "load_duration": timing.load_ns,
        "prompt_eval_count": completion.input_tokens,
        "prompt_eval_duration": timing.read_ns,
        "eval_count": completion.output_tokens,
        "eval_duration": timing.write_ns,
    }


def loaded(asked: CompletionRequest, completion: Completion) -> dict[str, Any]:
    """Return the answer to a call without a prompt, which only loads or unloads the model."""
    return {**piece(asked, Delta()), "done": True, "done_reason": completion.finish_reason}


def _content(asked: CompletionRequest, delta: Delta) -> dict[str, Any]:
    thinking = {"thinking": delta.thinking} if delta.thinking else {}
    if asked.operation == "generate":
        return {"response": delta.text, **thinking}
    message: dict[str, Any] = {"role": "assistant", "content": delta.text, **thinking}
    if delta.tool_calls:
        message["tool_calls"] = [_call(index, call) for index, call in enumerate(delta.tool_calls)]
    return {"message": message}


def call_id(index: int, call: ToolCall) -> str:
    """Return the identity of a tool call."""
    said = f"{index} {call.name} {sorted(call.arguments.items())}"
    return f"call_{sha256(said.encode()).hexdigest()[:8]}"


def _call(index: int, call: ToolCall) -> dict[str, Any]:
    """Return a tool call; its identity is made from what it says, so that the same request gives the same bytes."""
    return {
        "id": call_id(index, call),
        "function": {"index": index, "name": call.name, "arguments": dict(call.arguments)},
    }


def _details(model: Model, server: EngineIdentity) -> dict[str, Any]:
    return {
        "parent_model": "",
        "format": server.weights_format,
        "family": model.family,
        "families": [model.family],
        "parameter_size": model.parameter_size,
        "quantization_level": "none",
    }
