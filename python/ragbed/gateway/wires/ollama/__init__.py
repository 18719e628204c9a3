"""Ollama's protocol: `/api/…`, streams in lines of JSON, errors as `{"error": …}`."""

from ragbed.gateway.wires.ollama.loaded import LoadedModels
from ragbed.gateway.wires.ollama.routes import OllamaWire, refusal

__all__ = ["LoadedModels", "OllamaWire", "refusal"]
