"""OpenAI's response bodies, as Ollama writes them; identities are made from the request, times are fixed."""

from __future__ import annotations

import base64
import json
import struct
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from ragbed.gateway.wires.ollama.frames import MADE_AT, call_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ragbed.gateway.engine import Completion, CompletionRequest, Delta, Embeddings, Model, ToolCall

_CREATED = int(datetime.fromisoformat(MADE_AT).timestamp())
_FINGERPRINT = "fp_ollama"


def listed(model: Model, *, name: str = "") -> dict[str, Any]:
    """Return a model as `/v1/models` lists it; a name is how the client asked for it."""
    parts = model.name.split("/")
    owner = parts[-2] if len(parts) > 1 else "library"
    return {"id": name or model.name, "object": "model", "created": _CREATED, "owned_by": owner}


def whole(asked: CompletionRequest, answer: Delta, completion: Completion) -> dict[str, Any]:
    """Return an answer that is not streamed."""
    kind = "chat.completion" if asked.operation == "chat" else "text_completion"
    said = {"message": _message(answer)} if asked.operation == "chat" else {"text": answer.text}
    choice = {"index": 0, **said, "finish_reason": _reason(answer, completion)}
    return {**_head(asked, kind), "choices": [choice], "usage": usage(completion)}


def chunk(asked: CompletionRequest, delta: Delta, *, called: bool) -> dict[str, Any]:
    """Return a piece of a stream.

    Args:
        asked: The request.
        delta: The piece.
        called: Whether a tool has been called before it.
    """
    reason = None
    if delta.completion is not None:
        reason = "tool_calls" if called else delta.completion.finish_reason
    chat = asked.operation == "chat"
    said = {"delta": _message(delta)} if chat else {"text": delta.text}
    kind = "chat.completion.chunk" if chat else "text_completion"
    return {**_head(asked, kind), "choices": [{"index": 0, **said, "finish_reason": reason}]}


def usage_chunk(asked: CompletionRequest, completion: Completion) -> dict[str, Any]:
    """Return the last piece of a stream whose client asked for the figures."""
    kind = "chat.completion.chunk" if asked.operation == "chat" else "text_completion"
    return {**_head(asked, kind), "choices": [], "usage": usage(completion)}


def embedded(model: str, embeddings: Embeddings, *, as_base64: bool) -> dict[str, Any]:
    """Return the vectors of `/v1/embeddings`, as numbers or as their bytes in base64."""
    vectors = [_bytes(vector) if as_base64 else vector for vector in embeddings.vectors]
    tokens = embeddings.input_tokens
    return {
        "object": "list",
        "data": [
            {"object": "embedding", "embedding": vector, "index": place}
            for place, vector in enumerate(vectors)
        ],
        "model": model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def usage(completion: Completion) -> dict[str, int]:
    """Return the figures of an answer."""
    read, written = completion.input_tokens, completion.output_tokens
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def _head(asked: CompletionRequest, kind: str) -> dict[str, Any]:
    said = f"{asked.operation} {asked.model} {asked.messages}"
    number = int(sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:8], 16) % 1000
    begin = "chatcmpl" if asked.operation == "chat" else "cmpl"
    return {
        "id": f"{begin}-{number}",
        "object": kind,
        "created": _CREATED,
        "model": asked.model,
        "system_fingerprint": _FINGERPRINT,
    }


def _message(delta: Delta) -> dict[str, Any]:
    reasoning = {"reasoning": delta.thinking} if delta.thinking else {}
    calls = [_call(place, call) for place, call in enumerate(delta.tool_calls)]
    return {
        "role": "assistant",
        "content": delta.text,
        **reasoning,
        **({"tool_calls": calls} if calls else {}),
    }


def _call(place: int, call: ToolCall) -> dict[str, Any]:
    arguments = json.dumps(dict(call.arguments), ensure_ascii=False, separators=(",", ":"))
    return {
        "id": call_id(place, call),
        "index": place,
        "type": "function",
        "function": {"name": call.name, "arguments": arguments},
    }


def _reason(answer: Delta, completion: Completion) -> str:
    return "tool_calls" if answer.tool_calls else completion.finish_reason


def _bytes(vector: Sequence[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
