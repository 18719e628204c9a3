"""The smallest value of a schema is a value of the schema."""

from __future__ import annotations

import json
import time
from enum import StrEnum
from functools import reduce
from typing import Any, Literal

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from ragbed.gateway import NoAnswerError
from ragbed.gateway.mock.schema import INVALID, example
from ragbed.gateway.mock.schema.budget import Budget
from ragbed.gateway.mock.schema.checking import Checker
from ragbed.gateway.mock.schema.references import References
from tiny_models.json_schemas import generated


class Level(StrEnum):
    """A choice."""

    LOW = "low"
    HIGH = "high"


class Source(BaseModel):
    """A part that is referred to."""

    title: str = Field(min_length=3, max_length=5)
    page: int = Field(ge=1)


class Answer(BaseModel):
    """What an application might ask for."""

    text: str
    level: Level
    kind: Literal["fact"]
    sources: list[Source] = Field(min_length=2)
    share: float = Field(gt=0.5)
    other: Source | None
    tags: dict[str, str]
    note: str | None = None


class Tree(BaseModel):
    """What refers to itself."""

    name: str
    children: list[Tree] = []


class Chain(BaseModel):
    """What requires itself, or nothing."""

    links: list[Chain]
    following: Chain | None


SCHEMAS: dict[str, dict[str, Any]] = {
    "nested": Answer.model_json_schema(),
    "recursive": Tree.model_json_schema(),
    "recursive and required": Chain.model_json_schema(),
    "recursive from its root": {
        "anyOf": [{"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]}, {"type": "null"}]
    },
    "older definitions": {"definitions": {"a": {"type": "integer"}}, "$ref": "#/definitions/a"},
    "short text": {"type": "string", "maxLength": 3},
    "long text": {"type": "string", "minLength": 50},
    "choice of types": {"type": ["integer", "null"]},
    "negative": {"type": "integer", "maximum": -5},
    "constant": {"const": {"a": 1}},
    "any of": {"anyOf": [{"type": "array", "items": {"type": "null"}, "minItems": 1}, {"type": "string"}]},
    "all properties": {"type": "object", "properties": {"a": {"type": "boolean"}, "b": {}}},
}


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_example_is_of_the_schema(schema: dict[str, Any]) -> None:
    """As a validator sees it."""
    jsonschema.validate(example(schema, "said"), schema)


@pytest.mark.parametrize(
    "schema",
    [
        {"$defs": {"a": {"$ref": "#/$defs/a"}}, "anyOf": [{"$ref": "#/$defs/a"}, {"type": "null"}]},
        {"anyOf": {"a": 1}, "enum": 3},
        {"type": "object", "properties": [1], "required": 3},
        {"type": "string", "maxLength": "x", "minLength": None},
        {"type": "number", "minimum": "x", "exclusiveMinimum": []},
        {"type": "array", "minItems": "x"},
        {"type": [], "$defs": 3},
    ],
    ids=["without end", "choices", "object", "string", "number", "array", "type"],
)
def test_a_schema_that_is_none_gives_a_value_all_the_same(schema: dict[str, Any]) -> None:
    """One that requires itself without end, and words of a wrong type."""
    json.dumps(example(schema, "said"))


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "reference to nowhere": ({"type": "array", "items": {"$ref": "#/$defs/Block"}}, f"^{INVALID}$"),
    "unused reference to nowhere": ({"$defs": {"a": {"$ref": "#/b"}}, "type": "null"}, f"^{INVALID}$"),
    "type that is none": ({"properties": {"a": {"type": "age"}}}, f"^{INVALID}$"),
    "without end": ({"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}, "found no value"),
    "more distinct items than there are": (
        {"type": "array", "items": {"enum": [1, 2]}, "uniqueItems": True, "minItems": 3},
        "found no value",
    ),
    "too many items": ({"type": "array", "minItems": 300_000_000}, "minItems is 3e.08.* at most 10000"),
    "too long": ({"type": "string", "minLength": 300_000_000}, "minLength is 3e.08.* at most 100000"),
    "too many properties": ({"type": "object", "minProperties": 10**9}, "minProperties is 1e.09"),
    "too many in all": (
        {
            "items": {"items": {"type": "integer"}, "minItems": 9000, "type": "array"},
            "minItems": 9000,
            "type": "array",
        },
        "found no value of it within",
    ),
    "pattern that is none": ({"type": "string", "pattern": "("}, "not a regular expression"),
    "pattern of very long texts": (
        {"type": "string", "pattern": "(a{5000}){5000}"},
        "shortest text with pattern",
    ),
    "too deep": (reduce(lambda inner, _: {"items": inner}, range(500), {}), "too deep"),
}


@pytest.mark.parametrize(("schema", "message"), REFUSED.values(), ids=REFUSED)
def test_schema_without_a_value_is_refused(schema: dict[str, Any], message: str) -> None:
    """In Ollama's words, and soon: other clients wait for nobody's schema."""
    started = time.monotonic()

    with pytest.raises(NoAnswerError, match=message):
        example(schema, "said")

    assert time.monotonic() - started < 20


def test_strings_hold_the_text() -> None:
    """And what is not required is left out."""
    found = example(Answer.model_json_schema(), "what was said")

    assert (found["text"], found["sources"][0]["title"]) == ("what was said", "what ")
    assert "note" not in found


_LEAVES = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 1.0, "", "a", "ab", "said"])
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=6,
)


@given(seed=st.integers(0, 10**6), value=_VALUES)
@settings(max_examples=150, deadline=None)
def test_values_are_checked_as_by_jsonschema(seed: int, value: Any) -> None:
    """The check behind every answer, on values that a schema allows and on others."""
    schema = next(generated(seed, 1))
    checker = Checker(References(schema), Budget())

    assert checker.is_valid(schema, value) == jsonschema.Draft202012Validator(schema).is_valid(value)
