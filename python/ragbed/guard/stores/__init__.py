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
    "OllamaStore",
    "PostgresStore",
    "Probe",
    "Project",
    "QdrantStore",
    "RedisStore",
    "Unusable",
    "WrongService",
    "note_of",
    "read_note",
    "why_refused",
]
