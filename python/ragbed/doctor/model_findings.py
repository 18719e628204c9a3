"""Which pinned models are where, and what to type where they are not, or are others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ragbed.doctor.finding import Finding
from ragbed.doctor.models import differences, holders
from ragbed.stack.sizes import shown_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ragbed.doctor.models import ModelFacts


def judge_models(facts: ModelFacts) -> list[Finding]:
    """Return a line per wanted model, and one for the other pinned ones."""
    others = [name for name in facts.lock.models if name not in facts.wanted]
    findings = [replace(_judge_wanted(facts, model), value=_value(facts, model)) for model in facts.wanted]
    return [*findings, _judge_others(facts, others)] if others else findings


def _judge_wanted(facts: ModelFacts, model: str) -> Finding:
    """A wanted model must be the pinned one wherever it is; it must be somewhere where a real Ollama was asked for."""
    if model not in facts.lock.models:
        return Finding(
            topic=model,
            state="note",
            seen=f"not in {facts.lock.path.name}: the lock does not say which bytes the tag means",
            hint=f"ragbed models lock {model}",
        )
    if wrong := list(differences(facts, model)):
        return Finding(
            topic=model,
            state="drift",
            seen=wrong[0],
            hint=f"ragbed models fetch --model {model} && OLLAMA_MODELS=$(ragbed models store --model {model})"
            " ollama serve",
            details=tuple(wrong[1:]),
        )
    pin = facts.lock.models[model]
    if places := [place.name for place in holders(facts, model)]:
        return Finding(
            topic=model, state="ok", seen=f"{pin.digest[7:19]}, as pinned, in {' and '.join(places)}"
        )
    return Finding(
        topic=model,
        state="missing" if facts.needed else "note",
        seen=f"not here ({shown_bytes(pin.size_bytes)})"
        + ("" if facts.needed else "; only a real Ollama needs it"),
        hint=f"ragbed models fetch{_flags(_absent(facts))}",
    )


def _absent(facts: ModelFacts) -> list[str]:
    """Return the wanted models that are pinned and nowhere here."""
    pinned = [model for model in facts.wanted if model in facts.lock.models]
    return [model for model in pinned if not [*holders(facts, model), *differences(facts, model)]]


def _flags(models: Sequence[str]) -> str:
    return "".join(f" --model {model}" for model in models)


def _value(facts: ModelFacts, model: str) -> str:
    """Return the digests under which a model is here."""
    digests = {place.digests[model][7:19] for place in facts.places if model in place.digests}
    return " ".join(sorted(digests))


def _judge_others(facts: ModelFacts, others: list[str]) -> Finding:
    """The rest of the lock may be elsewhere; what moved is worth saying, as no setting here uses it."""
    moved = [f"{model}: {line}" for model in others for line in differences(facts, model)]
    there = [model for model in others if list(holders(facts, model))]
    if moved:
        return Finding(
            topic="other models",
            state="note",
            seen=moved[0],
            hint=f"ragbed models verify{_flags([model for model in others if model not in there])}",
            details=tuple(moved[1:]),
        )
    seen = f"as pinned: {', '.join(there)}; " if there else ""
    absent = [model for model in others if model not in there]
    seen += f"not here, not wanted: {', '.join(absent)}" if absent else "all that are pinned"
    return Finding(topic="other models", state="ok", seen=seen)
