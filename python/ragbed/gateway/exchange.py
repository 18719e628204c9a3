"""The gateway's port at the level of the wire: requests and answers as bytes, wires that read and write them, steps.

A call goes through a chain: each step sees the request as it came and the answer as it will leave, and hands on to the
next. The last link reads no bytes: it asks an engine, and the wire writes what the engine answers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from starlette.routing import Route

    from ragbed.gateway.engine import CompletionRequest, Delta, EmbeddingRequest, Embeddings, Engine, Model

Operation = Literal["chat", "generate", "embed"]
Asks: TypeAlias = "CompletionRequest | EmbeddingRequest"
"""What an engine is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRequest:
    """A call as it came.

    Attributes:
        wire: Name of the wire that it came by.
        operation: What it asks for; its path tells.
        method: HTTP method.
        path: Without the query.
        headers: By name; lookups ignore capitals.
        body: All of it.
    """

    wire: str
    operation: Operation
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True, kw_only=True)
class AnswerFacts:
    """What is known of an answer beside its bytes. It grows while a stream is read: tokens are known at its end.

    Attributes:
        engine: Name of the engine that answers; empty where none was asked.
        model: The model that answers; None where none was found.
        rule: Pattern of the scripted rule that answered.
        input_tokens: Tokens read; None while unknown.
        output_tokens: Tokens written; None while unknown.
        fault: Id of the injected fault that met the call.
    """

    engine: str = ""
    model: Model | None = None
    rule: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    fault: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RawResponse:
    """An answer as it will leave.

    Attributes:
        status: HTTP status.
        headers: By name, without the length of the body.
        body: Bytes of a whole answer, or the chunks of a stream, each sent by itself.
        facts: What is known of it.
    """

    status: int = 200
    headers: Mapping[str, str]
    body: bytes | AsyncGenerator[bytes, None]
    facts: AnswerFacts = field(default_factory=AnswerFacts)


@dataclass(frozen=True, slots=True, kw_only=True)
class LlmRequest:
    """What a wire reads in a call.

    Attributes:
        path: Path of the call.
        asks: What the engine is asked.
        fields: The body's fields by the wire's own names; how to write the answer is among them.
    """

    path: str
    asks: Asks
    fields: Mapping[str, Any]


class Wire(Protocol):
    """A protocol that clients speak."""

    @property
    def name(self) -> str:
        """Its name in records of calls."""
        ...

    @property
    def prefix(self) -> str:
        """What begins the paths that belong to it; empty for the wire that takes the rest."""
        ...

    @property
    def operations(self) -> Mapping[str, Operation]:
        """What a POST to each path of a call asks for."""
        ...

    def routes(self, engine: Engine) -> Sequence[Route]:
        """Return the endpoints beside the calls: which models there are, which version."""
        ...

    async def read(self, raw: RawRequest, engine: Engine) -> LlmRequest:
        """Return what a call asks for.

        Raises:
            WireError: It cannot be read.
            EngineError: The engine has no such model.
        """
        ...

    async def write(
        self, request: LlmRequest, asked: CompletionRequest, deltas: AsyncGenerator[Delta, None]
    ) -> RawResponse:
        """Return the answer to a completion.

        Args:
            request: The request; its fields say whether the answer is streamed.
            asked: What the engine was asked.
            deltas: What it answers, to be closed behind the last chunk.
        """
        ...

    def write_embeddings(self, request: LlmRequest, embeddings: Embeddings) -> RawResponse:
        """Return the answer to a call for vectors."""
        ...

    def refuse(self, error: Exception, path: str) -> RawResponse:
        """Return a refusal in the protocol's own shape.

        Args:
            error: A WireError, an EngineError, an HTTP error, or anything else for an error of the server.
            path: Path of the request.
        """
        ...


class Exchange(Protocol):
    """Answers calls; what goes wrong is an answer too."""

    async def answer(self, raw: RawRequest, request: LlmRequest | None) -> RawResponse:
        """Return the answer.

        Args:
            raw: The call as it came.
            request: What the wire reads in it; None where it cannot be read.
        """
        ...


class Step(Protocol):
    """Something that happens to every call: it is written down, checked, paid for, broken on purpose."""

    async def around(self, raw: RawRequest, request: LlmRequest | None, proceed: Exchange) -> RawResponse:
        """Return the answer of the rest of the chain, or another one.

        Args:
            raw: The call as it came.
            request: What the wire reads in it; None where it cannot be read.
            proceed: The rest of the chain.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Link:
    step: Step
    rest: Exchange

    async def answer(self, raw: RawRequest, request: LlmRequest | None) -> RawResponse:
        return await self.step.around(raw, request, self.rest)


def chain(steps: Sequence[Step], last: Exchange) -> Exchange:
    """Return an exchange that takes a call through steps, the first one outermost, to the last exchange."""
    exchange = last
    for step in reversed(steps):
        exchange = _Link(step, exchange)
    return exchange
