"""Load the models of an Ollama that was just started: only then does it do its work."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING

from ragbed.guard import WrongService
from ragbed.guard.stores.http import request

if TYPE_CHECKING:
    from collections.abc import Iterator

Say = Callable[[str], None]
"""Shows a line on the way; called on a thread of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loading:
    """How models are loaded.

    Attributes:
        timeout_s: How long one load may take. Never make it short: a client that gives up aborts the load.
        num_thread: Threads that a model computes with; 0 leaves it to Ollama. Requests that ask for another number load
            the model anew.
        say: Told what is being loaded; None tells nobody.
        first_word_s: How long a load may take before anything is said.
        next_word_s: How long until the next word.
    """

    timeout_s: float = 900.0
    num_thread: int = 0
    say: Say | None = None
    first_word_s: float = 2.0
    next_word_s: float = 5.0


def load_models(url: str, *, embedding: str, chat: str, loading: Loading) -> None:
    """Load both models, one after the other, and return once each could answer.

    Raises:
        NotThere: The server ended, or a load took too long.
        WrongService: A model cannot be loaded; says which and why.
    """
    for path, model in (("/api/embed", embedding), ("/api/generate", chat)):
        with _told(model, loading):
            _load(url, path, model, loading)


def _load(url: str, path: str, model: str, loading: Loading) -> None:
    options = {"num_thread": loading.num_thread} if loading.num_thread else {}
    nothing: dict[str, object] = {"input": []} if path == "/api/embed" else {"stream": False}
    body = {"model": model, "options": options, **nothing}  # nothing to embed, or to say: it only loads
    answer = request(url, "POST", path, body=body, timeout_s=loading.timeout_s)
    if answer.status != 200:
        reason = answer.value.get("error") if isinstance(answer.value, dict) else answer.value
        raise WrongService(f"{model} cannot be loaded: {reason}")


@contextmanager
def _told(model: str, loading: Loading) -> Iterator[None]:
    """Tell how long the body has been loading a model, every few seconds until it ends."""
    if loading.say is None:
        yield
        return
    done = Event()
    teller = Thread(target=_tell, args=(model, loading, loading.say, done), daemon=True)
    teller.start()
    try:
        yield
    finally:
        done.set()
        teller.join()


def _tell(model: str, loading: Loading, say: Say, done: Event) -> None:
    began = time.monotonic()
    wait_s = loading.first_word_s
    while not done.wait(wait_s):
        say(f"ollama is loading {model}: {time.monotonic() - began:.0f} s")
        wait_s = loading.next_word_s
