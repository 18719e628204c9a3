"""A wire is added by what its protocol says alone: here a model's name in the first line, the prompt in the rest."""

import asyncio
from types import MappingProxyType
from typing import Any

import httpx

from ragbed.gateway import CompletionRequest, Message
from ragbed.gateway.app import WIRES, create_app
from ragbed.gateway.exchange import LlmRequest, RawResponse
from ragbed.gateway.wires.json_http import WireError, status_and_message


async def _words(deltas: Any) -> Any:
    async for delta in deltas:
        yield delta.text.encode()


class _PlainWire:
    name, prefix, operations = "plain", "/plain", MappingProxyType({"/plain/ask": "chat"})

    def routes(self, _engine: Any) -> list[Any]:
        return []

    async def read(self, raw: Any, _engine: Any) -> LlmRequest:
        model, _, prompt = raw.body.decode().partition("\n")
        if not prompt:
            raise WireError("a prompt is missing")
        turns = (Message(role="user", content=prompt),)
        asks = CompletionRequest(operation="chat", model=model, messages=turns)
        return LlmRequest(path=raw.path, asks=asks, fields={})

    async def write(self, _request: Any, _asked: Any, deltas: Any) -> RawResponse:
        return RawResponse(headers={}, body=_words(deltas))

    def write_embeddings(self, _request: Any, _embeddings: Any) -> RawResponse:
        raise WireError("plain text has no vectors")

    def refuse(self, error: Exception, _path: str) -> RawResponse:
        status, message = status_and_message(error)
        return RawResponse(status=status, headers={}, body=f"NO {message}".encode())


def test_a_wire_needs_no_more_than_its_protocol() -> None:
    """It answers, refuses in its own shape, and its calls are in the journal."""

    async def ask(*bodies: str) -> list[Any]:
        transport = httpx.ASGITransport(create_app(wires=(_PlainWire(), *WIRES)))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            texts = [(await client.post("/plain/ask", content=body)).text for body in bodies]
            calls = (await client.get("/ragbed/calls")).json()["calls"]
        return [*texts, *((call["wire"], call["status"]) for call in calls)]

    expected = ["I am a mock LLM response.", "NO a prompt is missing", ("plain", "ok"), ("plain", "refused")]
    assert asyncio.run(ask("llama3.2:1b\nhello", "llama3.2:1b")) == expected
