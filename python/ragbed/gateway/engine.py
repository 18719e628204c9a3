"""What every engine understands, whatever wire a request came by: requests, answers, refusals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from ragbed.errors import RagbedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from typing import Any

Capability = Literal["embedding", "completion"]
FinishReason = Literal["stop", "length"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model that an engine offers.

    Attributes:
        name: With its tag: `all-minilm:latest`.
        family: Architecture, as Ollama names it: `bert`, `llama`.
        capability: What it can do.
        dimensions: Length of its vectors; 0 for a model that does not embed.
        trained_context: Tokens that it was trained on.
        max_context: Tokens that it takes.
        parameter_size: For people: `23M`.
        size_bytes: Size of its weights; 0 where there are none.
        digest: SHA-256 in hexadecimal; caches are keyed by it.
        calls_tools: Whether it takes tools and calls them.
    """

    name: str
    family: str
    capability: Capability
    dimensions: int
    trained_context: int
    max_context: int
    parameter_size: str
    size_bytes: int
    digest: str
    calls_tools: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A function that the client offers; `parameters` is the JSON schema of its arguments."""

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A function that the client shall call, and with which arguments."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn of a conversation; `role` is `system`, `user`, `assistant` or `tool`."""

    role: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingRequest:
    """Texts to turn into vectors.

    Attributes:
        model: Name, with or without `:latest`.
        texts: Any number, none included.
        dimensions: Keep that many leading components; None keeps all.
        truncate: Cut a text that is longer than the context; False refuses it.
        context: Tokens of context asked for; None takes the model's maximum.
        arguments: What else the client sent, for the history.
    """

    model: str
    texts: tuple[str, ...]
    dimensions: int | None = None
    truncate: bool = True
    context: int | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Embeddings:
    """One unit vector per text, in order, and the tokens read for them."""

    vectors: tuple[tuple[float, ...], ...]
    input_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionRequest:
    """A conversation to continue.

    Attributes:
        operation: `chat` or `generate`, as the client called it.
        model: Name, with or without `:latest`.
        messages: At least one.
        json_answer: The answer must be one JSON object.
        schema: The answer must be JSON of this schema; None asks for no schema.
        tools: What the answer may call.
        truncate: Cut a prompt that is longer than the context; False refuses it.
        context: Tokens of context asked for; None takes the model's maximum.
        stop: The answer ends before the first of these.
        max_tokens: The answer has at most that many tokens; None sets no limit.
        arguments: What else the client sent, for the history.
    """

    operation: Literal["chat", "generate"]
    model: str
    messages: tuple[Message, ...]
    json_answer: bool = False
    schema: Mapping[str, Any] | None = None
    tools: tuple[Tool, ...] = ()
    truncate: bool = True
    context: int | None = None
    stop: tuple[str, ...] = ()
    max_tokens: int | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def prompt(self) -> str:
        """The last message of the user; empty when there is none."""
        return next((turn.content for turn in reversed(self.messages) if turn.role == "user"), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """How an answer ended, and what it took in tokens; `tokens` numbers those of prompt and answer."""

    finish_reason: FinishReason
    tokens: tuple[int, ...] = ()
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """The next piece of an answer; the last one has no text and carries the completion."""

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    completion: Completion | None = None


class Engine(Protocol):
    """Answers requests; refusals are raised before the first piece, so that a wire can still set a status."""

    def models(self) -> Sequence[Model]:
        """Return the models offered, in the order to list them."""
        ...

    def model(self, name: str) -> Model:
        """Return the model of that name, with or without `:latest`; raise ModelNotFoundError."""
        ...

    async def embed(self, request: EmbeddingRequest) -> Embeddings:
        """Return one vector per text; raise EngineError."""
        ...

    async def complete(self, request: CompletionRequest) -> AsyncIterator[Delta]:
        """Return the pieces of the answer, the completion last; raise EngineError."""
        ...


class EngineError(RagbedError):
    """The engine cannot do what was asked; its message goes to the client."""


class ModelNotFoundError(EngineError):
    """No model of that name."""


class ModelCannotError(EngineError):
    """The model exists and cannot do this: embed, or chat."""


class InputTooLongError(EngineError):
    """A text exceeds the context, and truncation was refused."""
