"""What was asked of an engine: the last calls, and counts of all."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from ragbed.gateway.engine import CompletionRequest, Delta, EmbeddingRequest, Embeddings, Engine, Model

KEPT_CALLS = 256
"""Calls kept with their prompts; a large ingest must not fill the memory. Counts are of all calls."""

KEPT_CHARACTERS = 100_000
"""Characters kept of each text of a call."""

KEPT_DEPTH = 50
"""Lists and objects inside each other that are kept of an argument."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call that the engine answered.

    Attributes:
        operation: `chat`, `generate` or `embed`.
        model: With its tag.
        prompts: The user's last message, or the texts to embed; the first `KEPT_CHARACTERS` of each.
        arguments: What else the client sent, shortened likewise.
    """

    operation: str
    model: str
    prompts: tuple[str, ...]
    arguments: Mapping[str, Any]


class History:
    """The last calls, oldest first, and how many there were in all and per model."""

    def __init__(self) -> None:
        self._calls: deque[Call] = deque(maxlen=KEPT_CALLS)
        self._per_model: Counter[str] = Counter()

    def add(self, call: Call) -> None:
        """Append a call, dropping the oldest past `KEPT_CALLS`."""
        self._calls.append(call)
        self._per_model[call.model] += 1

    def clear(self) -> None:
        """Forget calls and counts."""
        self._calls.clear()
        self._per_model.clear()

    def to_json(self) -> dict[str, Any]:
        """Return `total`, `per_model` and `calls` as JSON values."""
        return {
            "total": self._per_model.total(),
            "per_model": dict(sorted(self._per_model.items())),
            "calls": [asdict(call) for call in self._calls],
        }


class WatchedEngine:
    """An engine whose answered calls are written down.

    Args:
        engine: What answers.
        history: Where calls are written; refused calls are not.
    """

    def __init__(self, engine: Engine, history: History) -> None:
        self._engine = engine
        self._history = history

    def models(self) -> Sequence[Model]:
        """Return the models of the engine."""
        return self._engine.models()

    def model(self, name: str) -> Model:
        """Return the engine's model of that name; raise ModelNotFoundError."""
        return self._engine.model(name)

    def require(self, request: CompletionRequest) -> Model:
        """Return the model of a request that the engine can answer; raise EngineError."""
        return self._engine.require(request)

    async def embed(self, request: EmbeddingRequest) -> Embeddings:
        """Return the engine's vectors, and write the call down."""
        embeddings = await self._engine.embed(request)
        self._write("embed", request.model, request.texts, request.arguments)
        return embeddings

    async def complete(self, request: CompletionRequest) -> AsyncIterator[Delta]:
        """Return the engine's answer, and write the call down before its first piece."""
        deltas = await self._engine.complete(request)
        self._write(request.operation, request.model, (request.prompt,), request.arguments)
        return deltas

    def _write(
        self, operation: str, model: str, prompts: tuple[str, ...], arguments: Mapping[str, Any]
    ) -> None:
        call = Call(
            operation=operation,
            model=self._engine.model(model).name,
            prompts=tuple(prompt[:KEPT_CHARACTERS] for prompt in prompts),
            arguments=_shortened(arguments),
        )
        self._history.add(call)


def _shortened(value: Any, depth: int = 0) -> Any:
    """Return an argument without what would fill the memory: long texts, and lists inside lists without end."""
    if isinstance(value, str):
        return value[:KEPT_CHARACTERS]
    if depth == KEPT_DEPTH:
        return "…"
    if isinstance(value, dict):
        return {name: _shortened(member, depth + 1) for name, member in value.items()}
    return [_shortened(item, depth + 1) for item in value] if isinstance(value, list) else value
