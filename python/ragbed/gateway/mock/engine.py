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
    ToolCall,
)
from ragbed.gateway.mock.answering import answer
from ragbed.gateway.mock.embedding import embed_text, unit
from ragbed.gateway.mock.models import PREFIXES, offered_models
from ragbed.gateway.mock.passages import parse_prompt
from ragbed.gateway.mock.rules import first_match, may_call
from ragbed.gateway.mock.schema import example
from ragbed.gateway.mock.words import count_tokens, last_words, token_numbers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from ragbed.gateway.engine import CompletionRequest, EmbeddingRequest, FinishReason, Model
    from ragbed.gateway.mock.embedding import Vector
    from ragbed.gateway.mock.rules import Rule

_PIECE = re.compile(r"\s*\S+\s*")


class MockEngine:
    """Deterministic embeddings and answers.

    Args:
        models: The models offered; None takes those of the lock in force.
        rules: Fixed answers; may be replaced at any time.
    """

    def __init__(self, models: Sequence[Model] | None = None, *, rules: Iterable[Rule] = ()) -> None:
        offered = offered_models() if models is None else models
        self._models = {model.name.lower(): model for model in offered}
        self.rules: tuple[Rule, ...] = tuple(rules)

    def models(self) -> Sequence[Model]:
        """Return the models offered."""
        return tuple(self._models.values())

    def model(self, name: str) -> Model:
        """Return the model of that name, with or without `:latest`, in capitals or not, in full or not.

        Raises:
            ModelNotFoundError: There is none.
        """
        short = name.lower().removeprefix("registry.ollama.ai/").removeprefix("library/")
        try:
            return self._models[short if ":" in short else f"{short}:latest"]
        except KeyError:
            raise ModelNotFoundError(f"model '{name}' not found") from None

    async def embed(self, request: EmbeddingRequest) -> Embeddings:
        """Return one unit vector per text.

        Raises:
            ModelNotFoundError: No such model.
            ModelCannotError: The model does not embed.
            InputTooLongError: A text has more words than the context, and truncation was refused.
        """
        model = self.model(request.model)
        if model.capability != "embedding":
            raise ModelCannotError("this model does not support embeddings")
        context = min(request.context or model.max_context, model.max_context)
        texts = [_fit(text, context=context, truncate=request.truncate) for text in request.texts]
        vectors = []
        for text in texts:
            vectors.append(_vector(text, model, request.dimensions))
            await asyncio.sleep(0)  # a large batch must not hold up the streams of others
        return Embeddings(vectors=tuple(vectors), input_tokens=sum(count_tokens(text) for text in texts))

    async def complete(self, request: CompletionRequest) -> AsyncIterator[Delta]:
        """Return the answer word by word.

        Raises:
            ModelNotFoundError: No such model.
            ModelCannotError: The model only embeds.
            InputTooLongError: The prompt has more words than the context, and truncation was refused.
        """
        model = self.model(request.model)
        if model.capability != "completion":
            raise ModelCannotError(f'"{request.model}" does not support {request.operation}')
        fitting = _fit_prompt(request, min(request.context or model.max_context, model.max_context))
        rule = first_match(self.rules, fitting)
        calls = rule.tool_calls if rule else _calls(fitting)
        if calls:
            return _stream_calls(calls, fitting)
        return _stream(rule.answer if rule else _answer(fitting), fitting)


def _answer(request: CompletionRequest) -> str:
    if request.schema is None:
        return answer(request.prompt, as_json=request.json_answer)
    return json.dumps(example(request.schema, answer(request.prompt)), ensure_ascii=False)


def _calls(request: CompletionRequest) -> tuple[ToolCall, ...]:
    """Return a call of the first tool offered, unless there are passages to answer from, or it has answered."""
    if not may_call(request) or parse_prompt(request.prompt):
        return ()
    tool = request.tools[0]
    found = example(tool.parameters, request.prompt)
    return (ToolCall(name=tool.name, arguments=found if isinstance(found, dict) else {}),)


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
    found = [at for sequence in stop if sequence and (at := text.find(sequence)) >= 0]
    kept = text[: min(found, default=len(text))]
    pieces = _PIECE.findall(kept) or ([kept] if kept else [])
    if max_tokens is not None and len(pieces) > max_tokens:
        return pieces[:max_tokens], "length"
    return pieces, "stop"


async def _stream(text: str, request: CompletionRequest) -> AsyncIterator[Delta]:
    pieces, reason = finish(text, stop=request.stop, max_tokens=request.max_tokens)
    for piece in pieces:
        yield Delta(text=piece)
        await asyncio.sleep(0)  # lets a cancelled stream end between two words
    yield Delta(completion=_completion(request, "".join(pieces), reason))


async def _stream_calls(calls: tuple[ToolCall, ...], request: CompletionRequest) -> AsyncIterator[Delta]:
    yield Delta(tool_calls=calls)
    written = " ".join(json.dumps([call.name, dict(call.arguments)]) for call in calls)
    yield Delta(completion=_completion(request, written, "stop"))


def _completion(request: CompletionRequest, written: str, reason: FinishReason) -> Completion:
    said = " ".join(message.content for message in request.messages)
    return Completion(
        finish_reason=reason,
        input_tokens=_prompt_tokens(request),
        output_tokens=count_tokens(written),
        tokens=token_numbers(f"{said} {written}"),
    )
