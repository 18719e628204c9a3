"""How ragbed talks to Ollama: one policy for time-outs, loading, repeats, batches and errors of the official client."""

from ragbed.llm.client.batching import batches
from ragbed.llm.client.failures import Call, Failure, error_for, failure_of, pause_before_again
from ragbed.llm.client.policy import ClientPolicy
from ragbed.llm.client.reply import Reply
from ragbed.llm.client.session import OllamaSession
from ragbed.llm.client.vectors import check_vectors
from ragbed.stack.load_progress import Loading

__all__ = [
    "Call",
    "ClientPolicy",
    "Failure",
    "Loading",
    "OllamaSession",
    "Reply",
    "batches",
    "check_vectors",
    "error_for",
    "failure_of",
    "pause_before_again",
]
