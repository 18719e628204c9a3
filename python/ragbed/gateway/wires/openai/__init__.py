"""OpenAI's protocol as Ollama speaks it below `/v1/`: models, chat and text completions, embeddings, its errors."""

from ragbed.gateway.wires.openai.refusals import is_ours, refusal
from ragbed.gateway.wires.openai.routes import OpenAIWire

__all__ = ["OpenAIWire", "is_ours", "refusal"]
