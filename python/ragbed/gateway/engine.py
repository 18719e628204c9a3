"""What every engine understands, whatever wire a request came by: requests, answers, refusals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from ragbed.errors import RagbedError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
    from typing import Any

_ANSWER_FIELDS = frozenset({"answer", "citations"})
"""Properties of the object that the prompt contract of the reference pipeline asks for."""

Capability = Literal["completion", "embedding", "tools", "thinking", "vision", "insert"]
FinishReason = Literal["stop", "length", "load", "unload"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineIdentity:
    """What an engine is, for the places of a wire where a server tells of itself.

    Attributes:
        name: In records of calls: `mock`.
        substitute: Name under which a substitute is known on every wire; empty for the real thing.
        title: Subject of a sentence: `ragbed's mock LLM`.
        label: In brackets behind the name of the server that it stands in for.
        weights: What it has in place of weights, in a sentence.
        weights_format: The same in a word.
    """

    name: str
    substitute: str
    title: str
    label: str
    weights: str
    weights_format: str


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
        unload: Whether the model is unloaded behind the vectors.
        arguments: What else the client sent, for the history.
    """

    model: str
    texts: tuple[str, ...]
    dimensions: int | None = None
    truncate: bool = True
    context: int | None = None
    unload: bool = False
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """What an answer took, in nanoseconds: to load the model, to read the prompt, to write the answer."""

    load_ns: int = 0
    read_ns: int = 0
    write_ns: int = 0

    @property
    def total_ns(self) -> int:
        """All of it."""
        return self.load_ns + self.read_ns + self.write_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Embeddings:
    """One unit vector per text, in order, the tokens read for them, and what they took."""

    vectors: tuple[tuple[float, ...], ...]
    input_tokens: int
    timing: Timing = field(default_factory=Timing)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionRequest:
    """A conversation to continue.

    Attributes:
        operation: `chat` or `generate`, as the client called it.
        model: Name, with or without `:latest`.
        messages: The turns; none asks to load the model, or with `unload` to unload it.
        schema: The answer must be JSON of this schema; an empty one asks for any JSON object, None for text.
        tools: What the answer may call.
        think: Whether to think before the answer, or how hard; None leaves it to the model.
        inserts: The answer is to stand between the prompt and a text that follows.
        truncate: Cut a prompt that is longer than the context; False refuses it.
        context: Tokens of context asked for; None takes the model's maximum.
        stop: The answer ends before the first of these.
        max_tokens: The answer has at most that many tokens; None sets no limit.
        unload: Whether the model is unloaded behind the answer, also where the client leaves before its end.
        arguments: What else the client sent, for the history.
    """

    operation: Literal["chat", "generate"]
    model: str
    messages: tuple[Message, ...]
    schema: Mapping[str, Any] | None = None
    tools: tuple[Tool, ...] = ()
    think: bool | str | None = None
    inserts: bool = False
    truncate: bool = True
    context: int | None = None
    stop: tuple[str, ...] = ()
    max_tokens: int | None = None
    unload: bool = False
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def json_answer(self) -> bool:
        """Whether an answer with its citations, or any JSON object, is asked for."""
        if self.schema is None:
            return False
        return not self.schema or set(self.schema.get("properties") or ()) == _ANSWER_FIELDS

    @property
    def prompt(self) -> str:
        """The last message of the user; empty when there is none."""
        return next((turn.content for turn in reversed(self.messages) if turn.role == "user"), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """How an answer ended, and what it took.

    Attributes:
        finish_reason: Why it ended; `load` and `unload` where there was nothing to answer.
        tokens: The numbers of those of prompt and answer.
        input_tokens: Tokens read.
        output_tokens: Tokens written.
        timing: What it took.
        rule: Pattern of the scripted rule that answered; None where no rule did.
    """

    finish_reason: FinishReason
    tokens: tuple[int, ...] = ()
    input_tokens: int
    output_tokens: int
    timing: Timing = field(default_factory=Timing)
    rule: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """The next piece of an answer, or of the thought before it; the last one carries the completion alone."""

    text: str = ""
    thinking: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    completion: Completion | None = None


async def joined(deltas: AsyncIterator[Delta]) -> tuple[Delta, Completion]:
    """Return a whole answer as one piece, and how it ended.

    It is read to its end, for a model may be unloaded behind it.

    Raises:
        RuntimeError: The engine ended it without a completion.
    """
    pieces = [delta async for delta in deltas]
    completion = pieces[-1].completion if pieces else None
    if completion is None:
        raise RuntimeError("the engine ended its answer without a completion")
    whole = Delta(
        text="".join(delta.text for delta in pieces),
        thinking="".join(delta.thinking for delta in pieces),
        tool_calls=tuple(call for delta in pieces for call in delta.tool_calls),
        completion=completion,
    )
    return whole, completion


class Engine(Protocol):
    """Answers requests; refusals are raised before the first piece, so that a wire can still set a status."""

    @property
    def identity(self) -> EngineIdentity:
        """What it is."""
        ...

    def models(self) -> Sequence[Model]:
        """Return the models offered, in the order to list them."""
        ...

    def model(self, name: str) -> Model:
        """Return the model of that name, with or without `:latest`; raise ModelNotFoundError."""
        ...

    def loaded(self) -> Sequence[Model]:
        """Return the models that have been used and not been unloaded, in the order of their first use."""
        ...

    async def embed(self, request: EmbeddingRequest) -> Embeddings:
        """Return one vector per text; raise EngineError."""
        ...

    async def complete(self, request: CompletionRequest) -> AsyncGenerator[Delta, None]:
        """Return the pieces of the answer, the completion last; raise EngineError.

        A request without messages loads or unloads the model, and its answer is the completion alone.
        """
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
