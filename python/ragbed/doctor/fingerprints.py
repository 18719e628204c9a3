"""Whether a live Ollama still turns texts into the vectors that were recorded for the pinned model."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ragbed.doctor.finding import Finding, State, finding_of
from ragbed.doctor.models import holders
from ragbed.doctor.probing import Failed, Silent, gather
from ragbed.errors import RagbedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ragbed.doctor.models import ModelFacts, Place
    from ragbed.models.fingerprint import Verdict

_LOADED_S = 5.0
_LOADING_S = 900.0


def take_fingerprints(facts: ModelFacts, *, load: bool) -> dict[str, Verdict | Failed | Silent | None]:
    """Return the verdict on the embedding model of each live Ollama that has the pinned one, by the server's name.

    Args:
        facts: Which models are where.
        load: Load a model for it. Else one that is not loaded is left alone, and has None for a verdict: loading takes
            long, and giving up on it half-way would end it.
    """
    places = _live(facts)
    asked = {name: partial(_check, place.url, facts.embedding) for name, place in places.items()}
    if not load:
        asked = {name: ask for name, ask in asked.items() if facts.embedding in places[name].loaded}
    answers: Mapping[str, Any] = gather(asked, timeout_s=_LOADING_S if load else _LOADED_S) if asked else {}
    return {name: answers.get(name) for name in places}


def judge_fingerprint(model: str, server: str, verdict: Verdict | Failed | Silent | None) -> Finding:
    """A recorded fingerprint must come out again; without a record, or unloaded, there is nothing to say against it."""
    if verdict is None:
        return _note(f"not compared: {model} is not loaded in {server}", "ragbed doctor --fingerprint")
    if isinstance(verdict, Silent):
        return _note(f"{server} gave no vectors within {verdict.seconds:g} s", "ragbed doctor --fingerprint")
    if isinstance(verdict, Failed):
        if isinstance(verdict.error, RagbedError):
            return finding_of("fingerprint", verdict.error)
        return _note(f"could not be taken: {verdict.error}")
    states: dict[str, State] = {"same": "ok", "drift": "drift"}
    hints = {
        "drift": f"ragbed models fingerprint --model {model}, and run the pinned Ollama: ragbed pins",
        "unknown": f"ragbed models fingerprint --update --model {model}",
    }
    return Finding(
        topic="fingerprint",
        state=states.get(verdict.kind, "note"),
        seen=f"{verdict.line}, {server}",
        hint=hints.get(verdict.kind, ""),
        details=() if verdict.kind == "same" else tuple(verdict.details),
    )


def _live(facts: ModelFacts) -> dict[str, Place]:
    if facts.embedding not in facts.lock.models:
        return {}
    return {place.name: place for place in holders(facts, facts.embedding) if place.url}


def _check(url: str, model: str) -> Verdict:
    from ragbed.models.fingerprint import check_fingerprint  # noqa: PLC0415 - a client that few need here

    return check_fingerprint(url, model)


def _note(seen: str, hint: str = "") -> Finding:
    return Finding(topic="fingerprint", state="note", seen=seen, hint=hint)
