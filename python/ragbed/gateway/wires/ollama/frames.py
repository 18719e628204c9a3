"""Ollama's response bodies.

Times in them are made, not measured: the same request gives the same bytes. A token read counts 0.1 ms, a
token written 1 ms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ragbed._version import __version__

if TYPE_CHECKING:
    from ragbed.gateway.engine import Completion, Embeddings, Model

WIRE_VERSION = "0.30.7"
"""Version of the Ollama whose wire this is."""

MADE_AT = "2026-01-01T00:00:00Z"
_NEVER = "9999-12-31T00:00:00Z"
_READ_NS = 100_000
_WRITE_NS = 1_000_000


def version() -> dict[str, Any]:
    """Return the body of `/api/version`, which also says what answers."""
    return {"version": WIRE_VERSION, "ragbed": {"substitute": "mock-llm", "version": __version__}}


def listed(model: Model) -> dict[str, Any]:
    """Return a model as `/api/tags` lists it."""
    return {
        "name": model.name,
        "model": model.name,
        "modified_at": MADE_AT,
        "size": model.size_bytes,
        "digest": model.digest,
        "details": _details(model),
    }


def running(model: Model) -> dict[str, Any]:
    """Return a model as `/api/ps` lists it."""
    rest = {key: value for key, value in listed(model).items() if key != "modified_at"}
    return {**rest, "expires_at": _NEVER, "size_vram": 0, "context_length": model.max_context}


def shown(model: Model) -> dict[str, Any]:
    """Return a model as `/api/show` describes it."""
    info: dict[str, Any] = {
        "general.architecture": model.family,
        f"{model.family}.context_length": model.max_context,
        "ragbed.substitute": "mock-llm",
        "ragbed.trained_context_length": model.trained_context,
    }
    if model.dimensions:
        info[f"{model.family}.embedding_length"] = model.dimensions
    return {
        "modelfile": f"# {model.name}: a mock by ragbed, without weights\n",
        "parameters": "",
        "template": "{{ .Prompt }}",
        "details": _details(model),
        "model_info": info,
        "capabilities": [model.capability],
        "modified_at": MADE_AT,
    }


def embedded(model: str, embeddings: Embeddings) -> dict[str, Any]:
    """Return the body of `/api/embed`."""
    return {
        "model": model,
        "embeddings": embeddings.vectors,
        "total_duration": embeddings.input_tokens * _READ_NS,
        "load_duration": 0,
        "prompt_eval_count": embeddings.input_tokens,
    }


def piece(operation: str, model: str, text: str) -> dict[str, Any]:
    """Return one frame of a stream: as much of the answer as it carries."""
    return {"model": model, "created_at": MADE_AT, **_content(operation, text), "done": False}


def last(operation: str, model: str, text: str, completion: Completion) -> dict[str, Any]:
    """Return the last frame of a stream (no text), or the whole answer of a call that does not stream."""
    read_ns = completion.input_tokens * _READ_NS
    write_ns = completion.output_tokens * _WRITE_NS
    return {
        **piece(operation, model, text),
        "done": True,
        "done_reason": completion.finish_reason,
        "total_duration": read_ns + write_ns,
        "load_duration": 0,
        "prompt_eval_count": completion.input_tokens,
        "prompt_eval_duration": read_ns,
        "eval_count": completion.output_tokens,
        "eval_duration": write_ns,
    }


def loaded(operation: str, model: str, *, unload: bool) -> dict[str, Any]:
    """Return the answer to a call without a prompt, which only loads or unloads the model."""
    return {**piece(operation, model, ""), "done": True, "done_reason": "unload" if unload else "load"}


def _content(operation: str, text: str) -> dict[str, Any]:
    if operation == "chat":
        return {"message": {"role": "assistant", "content": text}}
    return {"response": text}


def _details(model: Model) -> dict[str, Any]:
    return {
        "parent_model": "",
        "format": "ragbed-mock",
        "family": model.family,
        "families": [model.family],
        "parameter_size": model.parameter_size,
        "quantization_level": "none",
    }
