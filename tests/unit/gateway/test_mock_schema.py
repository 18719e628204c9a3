"""The smallest value of a schema is a value of the schema."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any, Literal

import jsonschema
import pytest
from pydantic import BaseModel, Field

from ragbed.gateway.mock.schema import example


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
        {"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
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


def test_strings_hold_the_text() -> None:
    """And what is not required is left out."""
    found = example(Answer.model_json_schema(), "what was said")

    assert (found["text"], found["sources"][0]["title"]) == ("what was said", "what ")
    assert "note" not in found
