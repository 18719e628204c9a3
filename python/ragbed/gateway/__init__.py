"""The LLM gateway: wire protocols in front, engines behind; today Ollama's wire and a deterministic mock."""

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
