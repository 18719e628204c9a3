"""How ragbed talks to Ollama: one policy for time-outs, loading, repeats, batches and errors of the official client."""

from ragbed.models.client.batching import batches
from ragbed.models.client.faults import Call, Fault, error_for, fault_of, pause_before_again
from ragbed.models.client.policy import ClientPolicy
from ragbed.models.client.reply import Reply
from ragbed.models.client.session import OllamaSession
from ragbed.models.client.vectors import check_vectors
from ragbed.stack.telling import Loading

__all__ = [
    "Call",
    "ClientPolicy",
    "Fault",
    "Loading",
    "OllamaSession",
    "Reply",
    "batches",
    "check_vectors",
    "error_for",
    "fault_of",
    "pause_before_again",
]
