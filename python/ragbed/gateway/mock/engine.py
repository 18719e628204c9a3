"""The mock as an engine: same request, same answer, no model, no network."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from ragbed.gateway.engine import (
    Completion,
    Delta,
    Embeddings,
    InputTooLongError,
    ModelCannotError,
    ModelNotFoundError,
    NoAnswerError,
    ToolCall,
)
from ragbed.gateway.mock.answering import answer
from ragbed.gateway.mock.embedding import embed_text, unit
from ragbed.gateway.mock.identity import IDENTITY, made_timing
from ragbed.gateway.mock.loaded import LoadedModels
from ragbed.gateway.mock.models import PREFIXES, any_model, full_name, offered_models, qualified_name
from ragbed.gateway.mock.passages import parse_prompt
from ragbed.gateway.mock.rules import first_match, may_call
from ragbed.gateway.mock.schema import example
from ragbed.gateway.mock.thinking import thinks, thought
from ragbed.gateway.mock.words import content_stems, count_tokens, last_words, token_numbers
from ragbed.gateway.threads import beside

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Sequence

    from ragbed.gateway.engine import (
        CompletionRequest,
        EmbeddingRequest,
        EngineIdentity,
        FinishReason,
        Model,
        Tool,
    )
    from ragbed.gateway.mock.embedding import Vector
    from ragbed.gateway.mock.rules import Rule

_PIECE = re.compile(r"\s*\S+\s*")


class MockEngine:
    """Deterministic embeddings and answers.

    Args:
        models: The models offered; None takes those of the lock in force. Of two with one name, the later counts.
        rules: Fixed answers; may be replaced at any time.
        any_model: Whether a name that is not among the models is answered for as well.
    """

    def __init__(
        self, models: Sequence[Model] | None = None, *, rules: Iterable[Rule] = (), any_model: bool = False
    ) -> None:
        offered = offered_models() if models is None else models
        self._models = {full_name(model.name): model for model in offered}
        self._any_model = any_model
        self._loaded = LoadedModels()
        self.rules: tuple[Rule, ...] = tuple(rules)

    @property
    def identity(self) -> EngineIdentity:
        """What it is."""
        return IDENTITY

    def models(self) -> Sequence[Model]:
        """Return the models offered."""
        return tuple(self._models.values())

    def model(self, name: str) -> Model:
        """Return the model of that name, with or without `:latest`, in capitals or not, in full or not.

        Raises:
            ModelNotFoundError: There is none.
        """
        model = self._models.get(full_name(name))
        if model is not None:
            return model
        if self._any_model:
            return any_model(name)
        raise ModelNotFoundError(f"model '{name}' not found", hint=_how_to_declare(name))

    def loaded(self) -> Sequence[Model]:
        """Return the models that have been used and not been unloaded, in the order of their first use."""
        return self._loaded.models()

    async def embed(self, request: EmbeddingRequest) -> Embeddings:
        """Return one unit vector per text.

        Raises:
            ModelNotFoundError: No such model.
            ModelCannotError: The model does not embed.
            InputTooLongError: A text has more words than the context, and truncation was refused.
        """
        model = self.model(request.model)
        self._loaded.add(model)
        if not model.can("embedding"):
            raise ModelCannotError("this model does not support embeddings")
        context = _context(request, model)
        vectors: list[Vector] = []
        tokens = 0
        for text in request.texts:
            fitting, vector = await beside(len(text), _embedded, text, model, request, context)
            vectors.append(vector)
            tokens += fitting
            await asyncio.sleep(0)  # a large batch must not hold up the streams of others
        if request.unload:
            self._loaded.remove(model)
        timing = made_timing(input_tokens=tokens, output_tokens=0)
        return Embeddings(vectors=tuple(vectors), input_tokens=tokens, timing=timing)

    async def complete(self, request: CompletionRequest) -> AsyncGenerator[Delta, None]:
        """Return the answer word by word, behind the thought where the model thinks.

        Raises:
            ModelNotFoundError: No such model.
            ModelCannotError: The model cannot do what is asked for.
            InputTooLongError: The prompt has more words than the context, and truncation was refused.
            NoAnswerError: No value of the schema was found, or a rule's pattern takes too long.
        """
        model = self.model(request.model)
        if not request.messages:
            return self._load(model, request)
        _require(model, request)
        deltas = await self._answer(model, request)
        self._loaded.add(model)
        return self._loaded.until_unloaded(model, deltas) if request.unload else deltas

    def _load(self, model: Model, request: CompletionRequest) -> AsyncGenerator[Delta, None]:
        """Load or unload a model, and return the answer that says so."""
        if request.unload:
            self._loaded.remove(model)
            return _stream_nothing("unload")
        _require(model, request)
        self._loaded.add(model)
        return _stream_nothing("load")

    async def _answer(self, model: Model, request: CompletionRequest) -> AsyncGenerator[Delta, None]:
        if model.refuses_images and any(turn.images for turn in request.messages):
            raise NoAnswerError(_NO_SIGHT)
        context = _context(request, model)
        size = sum(len(turn.content) for turn in request.messages)
        fitting = await beside(size, _fit_prompt, request, context)
        rule = await first_match(self.rules, fitting)
        thinking = _thought(rule, fitting) if thinks(model, fitting) else ""
        calls = rule.tool_calls if rule else _calls(fitting)
        pattern = rule.pattern if rule else None
        if calls:
            return _stream_calls(calls, fitting, thinking, pattern)
        if rule:
            return _stream(rule.answer, fitting, thinking, pattern)
        big = max(size, _SCHEMA_SIZE) if _is_made(fitting) else size
        return _stream(await beside(big, _text, fitting), fitting, thinking, None)


_SCHEMA_SIZE = 1 << 20  # writing a value of a schema may take long, whatever its size: always in a thread
_NO_SIGHT = (
    "Failed to create new sequence: failed to process inputs: "
    "this model is missing data required for image input"
)


def _require(model: Model, request: CompletionRequest) -> None:
    """Refuse what a model cannot do; raise ModelCannotError, which names the model as it was asked for."""
    name = request.model
    if request.think and not model.can("thinking"):
        raise ModelCannotError(f'"{name}" does not support thinking')
    if not model.can("completion"):
        raise ModelCannotError(f'"{name}" does not support {request.operation}')
    if request.tools and not model.can("tools"):
        raise ModelCannotError(f"{qualified_name(name)} does not support tools")
    if request.inserts and not model.can("insert"):
        raise ModelCannotError(f"{qualified_name(name)} does not support insert")


def _is_made(request: CompletionRequest) -> bool:
    """Tell whether the answer is a value made for a schema; the mock's own JSON object is not."""
    return request.schema is not None and not request.json_answer


def _context(request: CompletionRequest | EmbeddingRequest, model: Model) -> int:
    """Return how many tokens a request gets: what it asks for, if the model has as many."""
    asked = request.context or 0
    return min(asked, model.max_context) if asked > 0 else model.max_context


def _how_to_declare(name: str) -> str:
    return (
        f'declare it in ragbed.toml, [mock.models] "{name}" = {{ dimensions = 1024 }} for an embedding model, '
        f'"{name}" = {{ capabilities = ["completion", "tools"] }} for a chat model; '
        "or set RAGBED_MOCK__ANY_MODEL=true"
    )


def _embedded(text: str, model: Model, request: EmbeddingRequest, context: int) -> tuple[int, Vector]:
    """Return the tokens of a text, cut to the context, and its vector."""
    fitting = _fit(text, context=context, truncate=request.truncate)
    return count_tokens(fitting), _vector(fitting, model, request.dimensions)


def _thought(rule: Rule | None, request: CompletionRequest) -> str:
    return thought(request) if rule is None or rule.thinking is None else rule.thinking


def _text(request: CompletionRequest) -> str:
    if request.schema is None or request.json_answer:
        return answer(request.prompt, as_json=request.json_answer)
    return json.dumps(example(request.schema, answer(request.prompt)), ensure_ascii=False)


def _calls(request: CompletionRequest) -> tuple[ToolCall, ...]:
    """Return a call of a tool offered, unless there are passages to answer from, or it has answered.

    Where a format is asked for beside the tools, only a tool whose own words the message has is called.
    """
    if not may_call(request) or parse_prompt(request.prompt):
        return ()
    formatted = request.schema is not None
    tool = next((one for one in request.tools if not formatted or _is_about(one, request.prompt)), None)
    if tool is None:
        return ()
    try:
        arguments = example(tool.parameters, request.prompt)
    except NoAnswerError:
        arguments = {}
    return (ToolCall(name=tool.name, arguments=arguments if isinstance(arguments, dict) else {}),)


def _is_about(tool: Tool, prompt: str) -> bool:
    own = f"{tool.name} {tool.description}".replace("_", " ")
    return not set(content_stems(own)).isdisjoint(content_stems(prompt))


def _fit(text: str, *, context: int, truncate: bool) -> str:
    """Return the text cut to the context; raise InputTooLongError where cutting is refused."""
    if count_tokens(text) <= context:
        return text
    if not truncate:
        raise InputTooLongError("the input length exceeds the context length")
    return " ".join(text.split()[:context])


def _fit_prompt(request: CompletionRequest, context: int) -> CompletionRequest:
    """Return the request with the last words that fit the context; raise InputTooLongError where cutting is refused."""
    if _prompt_tokens(request) <= context:
        return request
    if not request.truncate:
        raise InputTooLongError("the input length exceeds the context length")
    last = request.messages[-1]
    return replace(request, messages=(replace(last, content=last_words(last.content, context)),))


def _prompt_tokens(request: CompletionRequest) -> int:
    return sum(count_tokens(message.content) for message in request.messages)


def _vector(text: str, model: Model, dimensions: int | None) -> Vector:
    """Return the text's vector, cut to its leading components and rescaled, as Ollama does."""
    if model.family == "nomic-bert":
        text = next((text.removeprefix(prefix) for prefix in PREFIXES if text.startswith(prefix)), text)
    vector = embed_text(text, model.dimensions)
    if dimensions is None or not 0 < dimensions < len(vector):
        return vector
    return unit(list(vector[:dimensions]))


def finish(text: str, *, stop: Sequence[str], max_tokens: int | None) -> tuple[list[str], FinishReason]:
    """Return the pieces of an answer up to the first stop sequence and the token limit, and why it ended.

    Args:
        text: The whole answer.
        stop: The text ends before the first of these; empty ones are passed over.
        max_tokens: Pieces kept at most; None keeps all.
    """
    places = [at for sequence in stop if sequence and (at := text.find(sequence)) >= 0]
    kept = text[: min(places, default=len(text))]
    pieces = _pieces(kept)
    if max_tokens is not None and len(pieces) > max_tokens:
        return pieces[:max_tokens], "length"
    return pieces, "stop"


async def _stream_nothing(reason: FinishReason) -> AsyncGenerator[Delta, None]:
    yield Delta(completion=Completion(finish_reason=reason, input_tokens=0, output_tokens=0))


async def _stream(
    text: str, request: CompletionRequest, thinking: str, rule: str | None
) -> AsyncGenerator[Delta, None]:
    thoughts, left = _within(thinking, request.max_tokens)
    for piece in thoughts:
        yield Delta(thinking=piece)
        await asyncio.sleep(0)
    pieces, reason = finish(text, stop=request.stop, max_tokens=left)
    for piece in pieces:
        yield Delta(text=piece)
        await asyncio.sleep(0)  # lets a cancelled stream end between two words
    written = "".join([*thoughts, " " * bool(thoughts), *pieces])
    yield Delta(completion=_completion(request, written, reason, rule))


async def _stream_calls(
    calls: tuple[ToolCall, ...], request: CompletionRequest, thinking: str, rule: str | None
) -> AsyncGenerator[Delta, None]:
    for piece in _pieces(thinking):
        yield Delta(thinking=piece)
        await asyncio.sleep(0)
    yield Delta(tool_calls=calls)
    written = [thinking, *(json.dumps([call.name, dict(call.arguments)]) for call in calls)]
    yield Delta(completion=_completion(request, " ".join(written), "stop", rule))


def _within(thinking: str, max_tokens: int | None) -> tuple[list[str], int | None]:
    """Return the pieces of a thought within a limit, and what it leaves to the answer."""
    pieces = _pieces(thinking)[:max_tokens]
    return pieces, None if max_tokens is None else max_tokens - len(pieces)


def _pieces(text: str) -> list[str]:
    return _PIECE.findall(text) or ([text] if text else [])


def _completion(
    request: CompletionRequest, written: str, reason: FinishReason, rule: str | None
) -> Completion:
    said = " ".join(message.content for message in request.messages)
    read, wrote = _prompt_tokens(request), count_tokens(written)
    return Completion(
        finish_reason=reason,
        input_tokens=read,
        output_tokens=wrote,
        tokens=token_numbers(f"{said} {written}"),
        timing=made_timing(input_tokens=read, output_tokens=wrote),
        rule=rule,
    )
