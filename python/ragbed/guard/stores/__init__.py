"""Light clients for one purpose: who answers there, whom its marker lets in, what is in it.

They import no vendor's client where a dozen lines of the wire do: a whole stack is up before such an import is
over. The pipeline uses the official clients.
"""

from __future__ import annotations

from ragbed.guard.stores.base import Identity, NotThere, Probe, Unusable, WrongService
from ragbed.guard.stores.marker import MARKER, Marker, Project, note_of, read_note, why_refused
from ragbed.guard.stores.ollama import OllamaStore
from ragbed.guard.stores.postgres import PostgresStore
from ragbed.guard.stores.qdrant import QdrantStore
from ragbed.guard.stores.redis import RedisStore

__all__ = [
    "MARKER",
    "Identity",
    "Marker",
    "NotThere",
    "Probe",
    "Project",
    "Unusable",
    "WrongService",
    "note_of",
    "open_probe",
    "read_note",
    "why_refused",
]


def open_probe(service: str, url: str, *, api_key: str = "", timeout_s: float = 2.0) -> Probe:
    """Return the light client of a service; nothing is connected yet.

    Args:
        service: `postgres`, `redis`, `qdrant` or `ollama`.
        url: Where it answers.
        api_key: Qdrant's key; empty for none.
        timeout_s: How long one connection or answer may take.
    """
    if service == "postgres":
        return PostgresStore(url, timeout_s=timeout_s)
    if service == "redis":
        return RedisStore(url, timeout_s=timeout_s)
    if service == "qdrant":
        return QdrantStore(url, api_key=api_key, timeout_s=timeout_s)
    return OllamaStore(url, timeout_s=timeout_s)
