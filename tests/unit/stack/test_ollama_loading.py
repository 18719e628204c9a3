"""How the models of an Ollama are loaded: what is asked, what is told on the way, how a failure reads."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from ragbed.cli.events import loading_line
from ragbed.events import Event, EventStream
from ragbed.guard import WrongService
from ragbed.stack.services.ollama_loading import LoadPolicy, load_models

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Loader:
    """A server that loads when it is told to.

    Attributes:
        url: Where it answers.
        may_answer: Answers wait for it.
        answer: Status and body of every answer.
        asked: Path and body of every request.
    """

    url: str = ""
    may_answer: threading.Event = field(default_factory=threading.Event)
    answer: tuple[int, bytes] = (200, b"{}")
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


@pytest.fixture
def loader() -> Iterator[Loader]:
    """A server of our own: a real one loads our models too fast to be told about it."""
    loader = Loader()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            loader.asked.append((self.path, json.loads(body)))
            loader.may_answer.wait(10)
            status, content = loader.answer
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        loader.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield loader
        server.shutdown()
        thread.join()


def test_both_models_are_asked_to_load_and_to_do_nothing_else(loader: Loader) -> None:
    """The embedding model gets no text, the chat model no prompt, both the threads that requests will ask for."""
    loader.may_answer.set()

    load_models(loader.url, embedding="e:1", chat="c:1", policy=LoadPolicy(num_thread=3))

    assert loader.asked == [
        ("/api/embed", {"model": "e:1", "options": {"num_thread": 3}, "input": []}),
        ("/api/generate", {"model": "c:1", "options": {"num_thread": 3}, "stream": False}),
    ]


def test_threads_that_nobody_set_are_not_sent(loader: Loader) -> None:
    """0 leaves them to the server."""
    loader.may_answer.set()

    load_models(loader.url, embedding="e:1", chat="c:1", policy=LoadPolicy())

    assert [body["options"] for _, body in loader.asked] == [{}, {}]


def test_a_load_that_lasts_is_told(loader: Loader) -> None:
    """The model that is being loaded is named, with its size, while the request waits."""
    events: list[Event] = []

    def listen(event: Event) -> None:
        events.append(event)
        loader.may_answer.set()

    load_models(
        loader.url,
        embedding="e:1",
        chat="c:1",
        policy=LoadPolicy(events=EventStream(listen), first_word_s=0.01),
        size=lambda _: 46_000_000,
    )

    assert (events[0].kind, events[0].subject) == ("model.loading", "e:1")
    assert loading_line(events[0]).startswith("loading e:1, 46 MB: ")


def test_a_model_that_cannot_be_loaded_is_named_with_the_servers_reason(loader: Loader) -> None:
    """What Ollama says is what the user reads."""
    loader.may_answer.set()
    loader.answer = (500, b'{"error":"not enough memory"}')

    with pytest.raises(WrongService, match="e:1 cannot be loaded: not enough memory"):
        load_models(loader.url, embedding="e:1", chat="c:1", policy=LoadPolicy())
