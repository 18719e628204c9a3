"""Ollama's own wire: `/api/…`, newline-delimited JSON for streams."""

from ragbed.gateway.wires.ollama.routes import OllamaWire

__all__ = ["OllamaWire"]
