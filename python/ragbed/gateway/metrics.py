"""Counters of the calls that the gateway served, as Prometheus reads them; they never fall, a reset leaves them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ragbed.prometheus import Histogram, metric_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ragbed.costs import LlmCall

_BOUNDS_S = (0.005, 0.025, 0.1, 0.5, 1, 5, 30, 120)
_MOST_MODELS = 200
"""Models that have counters of their own: a client may name any, and each name would stay."""

_OTHERS = "(other)"


class LlmMetrics:
    """Counts calls, tokens and seconds by operation and model."""

    def __init__(self) -> None:
        self._calls: Counter[tuple[str, str, str, str]] = Counter()
        self._tokens: Counter[tuple[str, str]] = Counter()
        self._seconds = Histogram(_BOUNDS_S)
        self._models: set[str] = set()

    def add(self, call: LlmCall) -> None:
        """Count a call that has ended; tokens that are unknown are not counted."""
        model = self._name(call)
        self._calls[call.wire, call.operation, model, call.status] += 1
        for direction, tokens in (("input", call.input_tokens), ("output", call.output_tokens)):
            if tokens:
                self._tokens[model, direction] += tokens
        self._seconds.add((("operation", call.operation), ("model", model)), call.seconds)

    def _name(self, call: LlmCall) -> str:
        """Return the model as its counters name it; calls that no engine answered share one name."""
        known = bool(call.engine) and (call.model in self._models or len(self._models) < _MOST_MODELS)
        if not known:
            return _OTHERS
        self._models.add(call.model)
        return call.model

    def text(self) -> str:
        """Return every counter in the text format."""
        return "".join(self._lines())

    def _lines(self) -> Iterator[str]:
        names = ("wire", "operation", "model", "status")
        yield from metric_lines(
            "ragbed_llm_calls_total",
            "counter",
            "Calls that have ended, by how.",
            ((dict(zip(names, labels, strict=True)), count) for labels, count in sorted(self._calls.items())),
        )
        yield from metric_lines(
            "ragbed_llm_tokens_total",
            "counter",
            "Tokens read and written.",
            (
                ({"model": model, "direction": direction}, count)
                for (model, direction), count in sorted(self._tokens.items())
            ),
        )
        yield from self._seconds.lines(
            "ragbed_llm_call_seconds", "Seconds from a call to the end of its answer."
        )
