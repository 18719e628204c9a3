"""The config blob of a model: the little that it says of the weights."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """What a config blob says.

    Attributes:
        parameters: Their number in words, for example `8.0B`; empty where it says nothing.
        quantization: For example `Q4_K_M`; empty where it says nothing.
    """

    parameters: str
    quantization: str


def read_config(content: bytes) -> ModelConfig:
    """Return what a config blob says; nothing where it is not a JSON object.

    Source: the keys `model_type` and `file_type`, as Ollama writes them.
    """
    try:
        value = json.loads(content)
    except ValueError:
        value = None
    fields = value if isinstance(value, dict) else {}
    return ModelConfig(
        parameters=str(fields.get("model_type") or ""), quantization=str(fields.get("file_type") or "")
    )
