"""How each service is found and started."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragbed.pins import with_tag
from ragbed.stack.services.base import Plan, Request, Starter, free_port, tells_of_full_disk
from ragbed.stack.services.ollama import OllamaStarter
from ragbed.stack.services.postgres import PostgresStarter
from ragbed.stack.services.qdrant import QdrantStarter
from ragbed.stack.services.redis import RedisStarter

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "OllamaStarter",
    "Plan",
    "QdrantStarter",
    "Request",
    "Starter",
    "free_port",
    "starters",
    "tells_of_full_disk",
    "with_tag",
]


def starters(ollama: OllamaStarter) -> Mapping[str, Starter]:
    """Return the starter of every service.

    Args:
        ollama: The one that depends on which LLM is wanted.
    """
    return {
        "postgres": PostgresStarter(),
        "redis": RedisStarter(),
        "qdrant": QdrantStarter(),
        "ollama": ollama,
    }
