"""The LLM gateway: wire protocols in front, engines behind; today Ollama's wire and a deterministic mock."""

from typing import TYPE_CHECKING

from ragbed.lazy import public_names

if TYPE_CHECKING:
    from ragbed.gateway.engine import (
        Completion,
        CompletionRequest,
        Delta,
        EmbeddingRequest,
        Embeddings,
        Engine,
        EngineError,
        InputTooLongError,
        Message,
        Model,
        ModelCannotError,
        ModelNotFoundError,
        NoAnswerError,
        Tool,
        ToolCall,
    )

__all__ = [
    "Completion",
    "CompletionRequest",
    "Delta",
    "EmbeddingRequest",
    "Embeddings",
    "Engine",
    "EngineError",
    "InputTooLongError",
    "Message",
    "Model",
    "ModelCannotError",
    "ModelNotFoundError",
    "NoAnswerError",
    "Tool",
    "ToolCall",
]

__getattr__ = public_names(__name__, dict.fromkeys(__all__, "engine"))
