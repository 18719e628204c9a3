"""The models that the mock answers for, under digests of its own: those of the lock in force, and those declared."""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING

from ragbed.gateway.engine import Model

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ragbed.gateway.engine import Capability
    from ragbed.pins import ModelPin

ENGINE_VERSION = "1"
"""Raised when the same input would give another vector or answer; caches keyed by digest start afresh."""

ANY_DIMENSIONS = 384
"""Components of a vector of a model that is answered for without a declaration."""

_REGISTRY = "registry.ollama.ai/"
_LIBRARY = "library/"
_EMBEDS: tuple[Capability, ...] = ("embedding",)
_CHATS: tuple[Capability, ...] = ("completion", "tools")
_ALL: tuple[Capability, ...] = ("completion", "tools", "thinking", "vision", "insert", "embedding")


def full_name(name: str) -> str:
    """Return a model's name in small letters, with its tag, without the registry and library that are Ollama's own."""
    short = name.lower().rpartition("://")[2].removeprefix(_REGISTRY).removeprefix(_LIBRARY)
    return short if ":" in short.rpartition("/")[2] else f"{short}:latest"


def qualified_name(name: str) -> str:
    """Return a model's name with registry, library and tag, as Ollama's refusals have it."""
    short = full_name(name)
    parts = short.count("/")
    return short if parts > 1 else _REGISTRY + (short if parts else _LIBRARY + short)


def mock_digest(name: str, *, dimensions: int = 0) -> str:
    """Return the digest that `/api/tags` reports for a mocked model.

    It is never the digest of the real model, so no cache mixes the two.

    Args:
        name: With its tag.
        dimensions: Declared by the project; 0 for a model that is known by its name.
    """
    declared = f":{dimensions}" if dimensions else ""
    return sha256(f"ragbed-mock:{name}:{ENGINE_VERSION}{declared}".encode()).hexdigest()


def offered_models() -> tuple[Model, ...]:
    """Return the models that a mock offers: of the lock that `RAGBED_MODELS_LOCK` names, else the known ones.

    Raises:
        PinFileError: The lock named is not there, or wrong.
    """
    if not os.environ.get("RAGBED_MODELS_LOCK"):
        return MODELS
    from ragbed.pins import load_model_lock  # noqa: PLC0415 - doubles the time to start

    known = {model.name: model for model in MODELS}
    return tuple(known.get(name) or _pinned(pin) for name, pin in load_model_lock().models.items())


def declared_models(declarations: Mapping[str, Mapping[str, Any]]) -> tuple[Model, ...]:
    """Return the models that a project declares.

    Args:
        declarations: As the setting `mock.models` has them, by name: `capabilities`, `dimensions`, `context`.
    """
    return tuple(_declared(full_name(name), table) for name, table in declarations.items())


def _declared(name: str, table: Mapping[str, Any]) -> Model:
    dimensions, capabilities = table.get("dimensions", 0), tuple(table["capabilities"])
    context = table.get("context") or (8192 if dimensions else 131072)
    return Model(
        name=name,
        family="bert" if capabilities == _EMBEDS else "llama",
        capabilities=capabilities,
        dimensions=dimensions,
        trained_context=context,
        max_context=context,
        parameter_size="unknown",
        size_bytes=0,
        digest=mock_digest(name, dimensions=dimensions),
        refuses_images="vision" not in capabilities,
    )


def any_model(name: str) -> Model:
    """Return a model that does everything, for a name that nothing declares; it thinks where it is asked to."""
    return Model(
        name=full_name(name),
        family="llama",
        capabilities=_ALL,
        dimensions=ANY_DIMENSIONS,
        trained_context=131072,
        max_context=131072,
        parameter_size="unknown",
        size_bytes=0,
        digest=mock_digest(full_name(name)),
        thinks_unasked=False,
    )


def _pinned(pin: ModelPin) -> Model:
    """Return a model that only a lock names; what the lock does not state is small."""
    embeds = pin.purpose == "embedding"
    context = pin.context or (512 if embeds else 4096)
    return _model(
        pin.full_name,
        "bert" if embeds else "llama",
        pin.parameters or "unknown",
        dimensions=(pin.dimensions or 384) if embeds else 0,
        trained_context=context,
        max_context=context,
    )


def _model(
    name: str,
    family: str,
    parameter_size: str,
    *,
    dimensions: int = 0,
    trained_context: int,
    max_context: int,
) -> Model:
    return Model(
        name=name,
        family=family,
        capabilities=_EMBEDS if dimensions else _CHATS,
        dimensions=dimensions,
        trained_context=trained_context,
        max_context=max_context,
        parameter_size=parameter_size,
        size_bytes=0,
        digest=mock_digest(name),
    )


MODELS = (
    _model("all-minilm:latest", "bert", "23M", dimensions=384, trained_context=256, max_context=512),
    _model(
        "nomic-embed-text:latest",
        "nomic-bert",
        "137M",
        dimensions=768,
        trained_context=2048,
        max_context=8192,
    ),
    _model("qwen2.5:0.5b", "qwen2", "494.03M", trained_context=32768, max_context=32768),
    _model("llama3.2:1b", "llama", "1.2B", trained_context=131072, max_context=131072),
    _model("llama3.1:8b", "llama", "8.0B", trained_context=131072, max_context=131072),
)
"""The pinned sets of the smoke run, small and full."""

PREFIXES = ("search_document: ", "search_query: ", "clustering: ", "classification: ")
"""Task prefixes of nomic-embed-text: instructions to the model, not words of the text."""
