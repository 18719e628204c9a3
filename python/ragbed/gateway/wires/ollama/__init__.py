"""Ollama's protocol: `/api/…`, streams in lines of JSON, errors as `{"error": …}`."""

from ragbed.gateway.wires.ollama.wire import OllamaWire

__all__ = ["OllamaWire"]
