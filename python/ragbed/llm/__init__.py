"""How ragbed talks to Ollama: one policy for time-outs, loading, repeats, batches and errors of the official client."""

from ragbed.llm.batching import batches
from ragbed.llm.failures import Failure, NamedRequest, error_for, failure_of, pause_before_again
from ragbed.llm.reply import Reply
from ragbed.llm.session import OllamaSession
from ragbed.llm.timeouts_and_retries import ClientPolicy
from ragbed.llm.vectors import check_vectors

__all__ = [
    "ClientPolicy",
    "Failure",
    "NamedRequest",
    "OllamaSession",
    "Reply",
    "batches",
    "check_vectors",
    "error_for",
    "failure_of",
    "pause_before_again",
]
