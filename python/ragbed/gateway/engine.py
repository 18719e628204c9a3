"""What every engine understands, whatever wire a request came by: requests, answers, refusals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from ragbed.errors import RagbedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from typing import Any

Capability = Literal["completion", "embedding", "tools", "thinking", "vision", "insert"]
FinishReason = Literal["stop", "length"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model that an engine offers.

    Attributes:
        name: With its tag: `all-minilm:latest`.
        family: Architecture, as Ollama names it: `bert`, `llama`.
        capabilities: What it can do.
        dimensions: Length of its vectors; 0 for a model that does not embed.
        trained_context: Tokens that it was trained on.
        max_context: Tokens that it takes.
        parameter_size: For people: `23M`.
        size_bytes: Size of its weights; 0 where there are none.
        digest: SHA-256 in hexadecimal; caches are keyed by it.
        thinks_unasked: Whether one that can think does so where the client does not say.
        refuses_images: Whether a prompt with images is refused; a model that can see takes them.
    """

    name: str
    family: str
    capabilities: tuple[Capability, ...]
    dimensions: int
    trained_context: int
    max_context: int
    parameter_size: str
    size_bytes: int
    digest: str
    thinks_unasked: bool = True
    refuses_images: bool = False

    def can(self, capability: Capability) -> bool:
        """Tell whether the model has a capability."""
        return capability in self.capabilities


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A function that the client offers; `parameters` is the JSON schema of its arguments."""

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A function that the client shall call, and with which arguments."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn of a conversation.

    Attributes:
        role: `system`, `user`, `assistant` or `tool`.
        content: What is said.
        images: How many pictures come with it.
    """

    role: str
    content: str
    images: int = 0


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
        think: Whether to think before the answer, or how hard; None leaves it to the model.
        inserts: The answer is to stand between the prompt and a text that follows.
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
    think: bool | str | None = None
    inserts: bool = False
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
    """The next piece of an answer, or of the thought before it; the last one carries the completion alone."""

    text: str = ""
    thinking: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    completion: Completion | None = None


async def joined(deltas: AsyncIterator[Delta]) -> Delta:
    """Return a whole answer as one piece; it is read to its end, for a model may be unloaded behind it."""
    pieces = [delta async for delta in deltas]
    return Delta(
        text="".join(delta.text for delta in pieces),
        thinking="".join(delta.thinking for delta in pieces),
        tool_calls=tuple(call for delta in pieces for call in delta.tool_calls),
        completion=pieces[-1].completion if pieces else None,
    )


class Engine(Protocol):
    """Answers requests; refusals are raised before the first piece, so that a wire can still set a status."""

    def models(self) -> Sequence[Model]:
        """Return the models offered, in the order to list them."""
        ...

    def model(self, name: str) -> Model:
        """Return the model of that name, with or without `:latest`; raise ModelNotFoundError."""
        ...

    def require(self, request: CompletionRequest) -> Model:
        """Return the model of a request that it can answer; raise EngineError."""
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
    """The model exists and cannot do this: embed, chat, think, call tools."""


class NoAnswerError(EngineError):
    """The model has no answer of the form asked for."""


class InputTooLongError(EngineError):
    """A text exceeds the context, and truncation was refused."""
