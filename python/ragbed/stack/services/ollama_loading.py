"""Load the models of an Ollama that was just started: only then does it do its work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragbed.events import SILENT
from ragbed.guard import WrongService
from ragbed.guard.stores.http import request
from ragbed.stack.load_progress import LoadProgress, reporting_load

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from ragbed.events import EventSink


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPolicy:
    """How models are loaded.

    Attributes:
        timeout_s: How long one load may take. Never make it short: a client that gives up aborts the load.
        num_thread: Threads that a model computes with; 0 leaves it to Ollama. Requests that ask for another number load
            the model anew.
        events: Told what is being loaded.
        first_word_s: How long a load may take before anything is said.
        next_word_s: How long until the next word.
    """

    timeout_s: float = 900.0
    num_thread: int = 0
    events: EventSink = SILENT
    first_word_s: float = 2.0
    next_word_s: float = 5.0


def load_models(
    url: str, *, embedding: str, chat: str, policy: LoadPolicy, size: Callable[[str], int] = lambda _: 0
) -> None:
    """Load both models, one after the other, and return once each could answer.

    Args:
        url: Where Ollama answers.
        embedding: The embedding model, with its tag.
        chat: The chat model, with its tag.
        policy: How.
        size: Tells the bytes of a model, 0 for unknown; asked only of one whose load lasts.

    Raises:
        NotThere: The server ended, or a load took too long.
        WrongService: A model cannot be loaded; says which and why.
    """
    for path, model in (("/api/embed", embedding), ("/api/generate", chat)):
        with _told(model, policy, size):
            _load(url, path, model, policy)


def _load(url: str, path: str, model: str, policy: LoadPolicy) -> None:
    options = {"num_thread": policy.num_thread} if policy.num_thread else {}
    nothing: dict[str, object] = {"input": []} if path == "/api/embed" else {"stream": False}
    body = {"model": model, "options": options, **nothing}  # nothing to embed, or to say: it only loads
    answer = request(url, "POST", path, body=body, timeout_s=policy.timeout_s)
    if answer.status != 200:
        reason = answer.value.get("error") if isinstance(answer.value, dict) else answer.value
        raise WrongService(f"{model} cannot be loaded: {reason}")


def _told(model: str, policy: LoadPolicy, size: Callable[[str], int]) -> AbstractContextManager[None]:
    telling = LoadProgress(
        events=policy.events, size=size, after_s=policy.first_word_s, every_s=policy.next_word_s
    )
    return reporting_load(model, telling)
