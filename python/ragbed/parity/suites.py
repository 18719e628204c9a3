"""The suites that every launcher goes through: what is asked, what is expected, which differences are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import eq
from typing import TYPE_CHECKING, Any

from ragbed.contracts.llm import compare as llm
from ragbed.contracts.llm.ask import Models
from ragbed.contracts.llm.differences import KNOWN
from ragbed.contracts.llm.suite import cases as llm_cases
from ragbed.contracts.stores import POSTGRES, REDIS, observe
from ragbed.contracts.vector_store.expectations import REFUSED, differences, recorded
from ragbed.contracts.vector_store.outcome import alike, comparable
from ragbed.contracts.vector_store.run import run_all
from ragbed.parity.golden import retrieved_ids
from ragbed.parity.smoke_run import stage_results
from ragbed.settings import definitions as known
from ragbed.smoke.stages import STAGE_NAMES
from ragbed.stack.addresses import qdrant_key

if TYPE_CHECKING:
    from ragbed.contracts.stores import StoreCase
    from ragbed.parity.place import Place
    from ragbed.parity.records import Weight

Facts = Mapping[str, Any]
"""What a server gave, by case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """One suite.

    Attributes:
        name: On the command line.
        service: The service that it judges; empty for the whole stack.
        observe: Runs it on a stack, and returns what was given by case.
        expected: What real servers give, by case; empty where none has been recorded: the first launcher sets it.
        known: Tells why a difference is known, by case and facts; empty where it is not.
        weight: Tells how much a difference matters, by facts and what is expected.
        same: Tells whether two facts are the same.
        left_out: Cases that a stack cannot be asked, each with the reason.
    """

    name: str
    service: str = ""
    observe: Callable[[Place], Facts]
    expected: Callable[[], Facts] = dict
    known: Callable[[str, Any], str] = lambda case, facts: ""  # noqa: ARG005 - nothing is known
    weight: Callable[[Any, Any], Weight] = lambda facts, expected: "high"  # noqa: ARG005 - others give results alone
    same: Callable[[Any, Any], bool] = eq
    left_out: Callable[[Place], Mapping[str, str]] = lambda place: {}  # noqa: ARG005 - all can be asked


def _vector_store(place: Place) -> Facts:
    url = place.stack["qdrant"].url
    outcomes = run_all(url, api_key=qdrant_key(place.settings, url) or None)
    return {case: comparable(given) for case, given in outcomes.items()}


def _known_of_vector_store(case: str, facts: Any) -> str:
    difference = differences().get(case)
    if difference is None or not alike(facts, difference.outcomes):
        return ""
    return difference.how or "refused: the embedded Qdrant says that it does not support this"


def _weight_of_outcomes(facts: Any, expected: Any) -> Weight:
    if any(one.get("error") == REFUSED for one in facts):
        return "low"
    refused = [any("error" in one for one in outcomes) for outcomes in (facts, expected)]
    return "medium" if all(refused) else "high"


_TAGGED = "the case asks for a model without a tag, and the stack's model has one"
_WITHOUT_TAG = (
    "tags: names are listed with their tags, which asking does not need",
    "answer: the model is named as it was asked for",
    "unknown model: a tag that is not there is an unknown model",
)


def _llm(place: Place) -> Facts:
    models = Models(embedding=place.settings[known.EMBEDDING_MODEL], chat=place.settings[known.LLM_MODEL])
    return llm.facts(place.stack["ollama"].url, models)


def _left_out_of_llm(place: Place) -> Mapping[str, str]:
    names = (place.settings[known.EMBEDDING_MODEL], place.settings[known.LLM_MODEL])
    return dict.fromkeys(_WITHOUT_TAG, _TAGGED) if any(":" in name for name in names) else {}


def _known_of_llm(case: str, facts: Any) -> str:
    difference = KNOWN.get(case)
    return difference.reason if difference and difference.facts == facts else ""


def _store(name: str, service: str, cases: list[StoreCase]) -> Suite:
    return Suite(
        name=name,
        service=service,
        observe=lambda place: {case.rule: observe(case, place.stack[service].url) for case in cases},
        expected=lambda: {case.rule: case.expected for case in cases},
    )


SUITES = (
    Suite(
        name="vector-store",
        service="qdrant",
        observe=_vector_store,
        expected=recorded,
        known=_known_of_vector_store,
        weight=_weight_of_outcomes,
        same=alike,
    ),
    Suite(
        name="llm",
        service="ollama",
        observe=_llm,
        expected=lambda: {case.id: case.expected for case in llm_cases()},
        known=_known_of_llm,
        weight=lambda facts, expected: "medium",  # noqa: ARG005 - a client sees it, the pipeline asks for none of it
        left_out=_left_out_of_llm,
    ),
    _store("postgres", "postgres", POSTGRES),
    _store("redis", "redis", REDIS),
    Suite(name="golden", service="qdrant", observe=retrieved_ids),
    Suite(name="smoke", observe=stage_results, expected=lambda: dict.fromkeys(STAGE_NAMES, "passed")),
)
"""In the order that they run and are shown."""
