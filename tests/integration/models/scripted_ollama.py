"""An Ollama on loopback that follows a script: slow, busy, cut off, silent, or fine; it notes what it was asked."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Step = Callable[["Handler"], None]

SIZE = 4_900_000_000
_PATIENCE_S = 20.0


@dataclass(kw_only=True)
class Script:
    """What the server does, and what it saw.

    Attributes:
        steps: By path, what it does with one request after the other; after the last it is fine.
        asked: Path and body of every request but those for the list of models.
        called: Set once a request has come.
        left: Set once a client has gone away from a request that was being answered.
        url: Where it answers.
    """

    steps: dict[str, list[Step]] = field(default_factory=lambda: defaultdict(list))
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    called: Event = field(default_factory=Event)
    left: Event = field(default_factory=Event)
    url: str = ""

    def contents(self, path: str) -> list[dict[str, Any]]:
        """Return the bodies that had a content: those without one only load a model."""
        return [body for asked, body in self.asked if asked == path and not is_load(body)]

    def loads(self) -> list[dict[str, Any]]:
        """Return the bodies that only load a model."""
        return [body for _, body in self.asked if is_load(body)]


def is_load(body: dict[str, Any]) -> bool:
    """Tell whether a request has no content."""
    return not (body.get("input") or body.get("messages"))


class Handler(BaseHTTPRequestHandler):
    """Does the next step of the script."""

    script: Script
    body: dict[str, Any]

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """List the models."""
        self.send(200, {"models": [{"name": "m:latest", "digest": "ab", "size": SIZE}]})

    def do_POST(self) -> None:
        """Do the next step; a request without content has steps of its own, under `load`."""
        self.body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.script.asked.append((self.path, self.body))
        self.script.called.set()
        steps = self.script.steps["load" if is_load(self.body) else self.path]
        (steps.pop(0) if steps else fine)(self)

    def send(self, status: int, value: object, *, missing: int = 0) -> None:
        """Send an answer that promises some bytes more than it has."""
        content = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content) + missing))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def wait_for_end(self) -> None:
        """Wait until the client has gone; one that stays is left after a while."""
        self.connection.settimeout(_PATIENCE_S)
        with suppress(TimeoutError):
            if not self.connection.recv(1):
                self.script.left.set()
        self.close_connection = True


def fine(handler: Handler) -> None:
    """Answer as it should be."""
    body = handler.body
    if handler.path == "/api/embed":
        handler.send(200, {"model": body["model"], "embeddings": [[3.0, 4.0] for _ in body["input"]]})
    else:
        said = pieces("a ", "b") if handler.body["stream"] else b""
        handler.send(200, said + piece("", done=True))


def piece(text: str, *, done: bool = False) -> bytes:
    """Return one line of a streamed answer."""
    value = {"model": "m", "message": {"role": "assistant", "content": text}, "done": done}
    return json.dumps({**value, "done_reason": "stop"} if done else value).encode() + b"\n"


def pieces(*texts: str) -> bytes:
    """Return lines of a streamed answer, without its last."""
    return b"".join(map(piece, texts))


def answers(status: int, value: object) -> Step:
    """Answer this: bytes as they are, anything else as JSON."""
    return lambda handler: handler.send(status, value)


def cut(handler: Handler) -> None:
    """Break off without a word."""
    handler.close_connection = True


def cut_in_stream(handler: Handler) -> None:
    """Break off after the first piece."""
    handler.send(200, piece("a "), missing=100)


def silent(handler: Handler) -> None:
    """Say nothing until the client goes."""
    handler.wait_for_end()


def silent_in_stream(handler: Handler) -> None:
    """Say nothing after the first piece until the client goes."""
    handler.send(200, piece("a "), missing=100)
    handler.wait_for_end()


def endless(handler: Handler) -> None:
    """Send one piece after the other until the client goes; a client that stays is left after a while."""
    handler.send(200, b"", missing=1 << 40)
    deadline = time.monotonic() + _PATIENCE_S
    try:
        while time.monotonic() < deadline:
            handler.wfile.write(piece("word "))
    except OSError:
        handler.script.left.set()


def after(gate: Event) -> Step:
    """Answer as it should be, once the gate is open."""

    def step(handler: Handler) -> None:
        gate.wait(_PATIENCE_S)
        fine(handler)

    return step


@contextmanager
def following(script: Script, *, listening: bool = True) -> Iterator[Callable[[], None]]:
    """Serve a script on a free port; yields what makes it listen, where it does not yet: till then it is refused."""
    handler = type("Scripted", (Handler,), {"script": script})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler, bind_and_activate=False) as server:
        server.daemon_threads = True
        server.server_bind()
        script.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})

        def listen() -> None:
            if not thread.is_alive():
                server.server_activate()
                thread.start()

        if listening:
            listen()
        try:
            yield listen
        finally:
            if thread.is_alive():
                server.shutdown()
                thread.join()
