"""The deterministic engine: hashed embeddings, and answers quoted from the passages in the prompt."""

from ragbed.gateway.mock.answering import DEFAULT_ANSWER, REFUSAL
from ragbed.gateway.mock.embedding import embed_text
from ragbed.gateway.mock.engine import MockEngine
from ragbed.gateway.mock.models import ENGINE_VERSION, declared_models, offered_models
from ragbed.gateway.mock.rules import Rule

__all__ = [
    "DEFAULT_ANSWER",
    "ENGINE_VERSION",
    "REFUSAL",
    "MockEngine",
    "Rule",
    "declared_models",
    "embed_text",
    "offered_models",
]
