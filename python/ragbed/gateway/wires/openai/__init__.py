"""OpenAI's protocol as Ollama speaks it below `/v1/`: models, chat and text completions, embeddings, its errors."""

from ragbed.gateway.wires.openai.wire import OpenAIWire

__all__ = ["OpenAIWire"]
