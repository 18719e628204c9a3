"""Ask a server by the official client, sync or async: the cases are written once, for both."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import httpx
import ollama

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from pydantic import BaseModel

Client = Literal["sync", "async"]

TIMEOUT_S = 120.0
"""A model's first load takes a while on a busy machine; whoever waits longer has been forgotten."""

LIGHT = {"num_thread": 1}
"""The threads of a real Ollama spin: with one each, a busy machine changes nothing but the time."""


_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Never used on loopback; made once, for a client that makes its own takes longer than a case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """Names, as a client gives them, of the models that a server is asked for."""

    embedding: str = "made-minilm"
    chat: str = "made-tiny"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientAnswer:
    """What came of a call.

    Attributes:
        frames: The bodies, in order; one unless it was a stream, none where it was refused.
        status: The HTTP status.
        message: Of a refusal.
    """

    frames: tuple[dict[str, Any], ...] = ()
    status: int = 200
    message: str = ""

    @property
    def body(self) -> dict[str, Any]:
        """The last frame; empty where the call was refused."""
        return self.frames[-1] if self.frames else {}

    @property
    def text(self) -> str:
        """What a chat or a completion says, its frames joined."""
        return "".join(f.get("response") or f.get("message", {}).get("content") or "" for f in self.frames)

    @property
    def refusal(self) -> dict[str, Any]:
        """Status and message."""
        return {"status": self.status, "message": self.message}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A response to a plain request: its status, its content type and its body, as JSON where it is."""

    status: int
    content_type: str
    body: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Asks one server.

    Attributes:
        models: What it is asked for.
        client: The official client, sync or async.
        http: For requests that the client would not send.
    """

    models: Models
    client: ollama.Client | ollama.AsyncClient
    http: httpx.AsyncClient

    async def __call__(self, method: str, /, **arguments: Any) -> ClientAnswer:
        """Call a method of the client; a refusal is an answer too."""
        try:
            if isinstance(self.client, ollama.Client):
                return await asyncio.to_thread(_call, self.client, method, arguments)
            result = await getattr(self.client, method)(**_light(method, arguments))
            frames = [_plain(one) async for one in result] if arguments.get("stream") else [_plain(result)]
        except ollama.ResponseError as error:
            return ClientAnswer(status=error.status_code, message=error.error)
        return ClientAnswer(frames=tuple(frames))

    async def chat(self, text: str = "the a", /, **arguments: Any) -> ClientAnswer:
        """Send one message of a user to the chat model."""
        given = {"model": self.models.chat, "messages": [{"role": "user", "content": text}]}
        return await self("chat", **{**given, **arguments})

    async def generate(self, text: str = "the a", /, **arguments: Any) -> ClientAnswer:
        """Have the chat model complete a text."""
        return await self("generate", **{"model": self.models.chat, "prompt": text, **arguments})

    async def embed(self, text: Any, /, **arguments: Any) -> ClientAnswer:
        """Have the embedding model embed a text or several."""
        return await self("embed", **{"model": self.models.embedding, "input": text, **arguments})

    async def first_frame(self, method: str, /, **arguments: Any) -> dict[str, Any]:
        """Return the first frame of a stream, and leave: the connection is closed."""
        given = _light(method, {**arguments, "stream": True})
        if isinstance(self.client, ollama.Client):
            return await asyncio.to_thread(_first, getattr(self.client, method)(**given))
        stream = await getattr(self.client, method)(**given)
        async with contextlib.aclosing(stream):
            return _plain(await anext(stream))

    async def send(self, method: str, path: str, body: Any = None) -> Reply:
        """Send a plain request; its body is JSON unless it is bytes."""
        given = {"content": body} if isinstance(body, bytes) else {"json": body} if body is not None else {}
        response = await self.http.request(method, path, **given)
        kind = response.headers.get("content-type", "").partition(";")[0]
        value = response.json() if kind == "application/json" and response.content else response.text
        return Reply(status=response.status_code, content_type=kind, body=value)

    async def running(self) -> list[str]:
        """Return the names of the loaded models, without `:latest`."""
        return [model["model"].removesuffix(":latest") for model in (await self("ps")).body["models"]]

    async def comes_true(self, check: Callable[[], Awaitable[bool]], *, within_s: float = 20) -> bool:
        """Tell whether something becomes true; a real Ollama unloads a model behind the answer."""
        end = time.monotonic() + within_s
        while not (came := await check()) and time.monotonic() < end:  # noqa: ASYNC110 - it tells no event
            await asyncio.sleep(0.02)
        return came


@asynccontextmanager
async def asking(url: str, kind: Client, models: Models) -> AsyncIterator[Ask]:
    """Open clients of a server and close them."""
    given: dict[str, Any] = {"timeout": TIMEOUT_S, "trust_env": False, "verify": _NO_TLS}
    async with httpx.AsyncClient(base_url=url, **given) as http:
        if kind == "sync":
            with ollama.Client(url, **given) as client:
                yield Ask(models=models, client=client, http=http)
        else:
            async with ollama.AsyncClient(url, **given) as client:
                yield Ask(models=models, client=client, http=http)


def _call(client: ollama.Client, method: str, arguments: dict[str, Any]) -> ClientAnswer:
    result = getattr(client, method)(**_light(method, arguments))
    frames = [_plain(one) for one in result] if arguments.get("stream") else [_plain(result)]
    return ClientAnswer(frames=tuple(frames))


def _first(stream: Iterator[BaseModel]) -> dict[str, Any]:
    with contextlib.closing(stream):  # type: ignore[type-var]  # the client returns a generator and does not say so
        return _plain(next(stream))


def _light(method: str, arguments: dict[str, Any]) -> dict[str, Any]:
    if method not in {"chat", "generate", "embed", "embeddings"}:
        return arguments
    return {**arguments, "options": {**LIGHT, **arguments.get("options", {})}}


def _plain(value: BaseModel) -> dict[str, Any]:
    return value.model_dump(mode="json", exclude_none=True)
