"""JSON schemas by the thousand, of every keyword, and whether the mock's answers are values of them."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jsonschema

from ragbed.gateway import NoAnswerError
from ragbed.gateway.mock.schema import example

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Schema = dict[str, Any]
_NAMES = ("a", "b", "city", "tags", "Größe", "x y")
_PATTERNS = (
    "^[a-z]{2,5}$",
    r"^\d{3}-\d{4}$",
    "^(ab|cd)+$",
    "[A-Z]",
    "^.{3,}$",
    r"^[^\s]+@[^\s]+\.com$",
    "^$",
    r"\d+",
)
_FORMATS = ("date-time", "date", "time", "email", "uri", "uuid", "ipv4", "ipv6", "hostname", "unknown")
_DEPTH = 3


@dataclass(slots=True)
class Outcome:
    """What came of many schemas.

    Attributes:
        valid: Answers that validate.
        invalid: Schemas and answers that do not.
        refused: Schemas that were refused, with the reason.
    """

    valid: int = 0
    invalid: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def answers(seed: int, count: int) -> Outcome:
    """Ask the mock for a value of each schema, and validate it, formats included."""
    outcome = Outcome()
    for schema in generated(seed, count):
        try:
            value = example(schema, "Qdrant listens on port 6333. [1]")
        except NoAnswerError as error:
            outcome.refused.append(f"{json.dumps(schema)}: {error.message}")
            continue
        checker = jsonschema.Draft202012Validator(
            schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
        )
        if checker.is_valid(value):
            outcome.valid += 1
        else:
            outcome.invalid.append(f"{json.dumps(schema)}: {json.dumps(value)}")
    return outcome


def generated(seed: int, count: int) -> Iterator[Schema]:
    """Yield schemas that have a value; the same seed gives the same schemas."""
    for number in range(count):
        yield _Chance(seed * 1_000_003 + number).document()


class _Chance:
    """Makes one schema."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - not for secrets

    def document(self) -> Schema:
        schema = self._schema(0)
        if "$ref" in json.dumps(schema):
            schema["$defs"] = {
                "node": {
                    "type": "object",
                    "properties": {
                        "value": self._scalar(),
                        "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
                    },
                    "required": self._some(["value", "next"]),
                },
                "leaf": self._scalar(),
            }
        return schema

    def _schema(self, depth: int) -> Schema:
        makers: list[Callable[[int], Schema]] = [lambda _: self._scalar()]
        if depth < _DEPTH:
            makers += [self._object, self._object, self._array, self._array, self._combined, self._reference]
        return self._random.choice(makers)(depth)

    def _scalar(self) -> Schema:
        makers = (self._string, self._integer, self._number, self._constant, self._several)
        return self._random.choice(makers)()

    def _string(self) -> Schema:
        form = self._random.randrange(5)
        if form == 0:
            return {"type": "string", "pattern": self._random.choice(_PATTERNS)}
        if form == 1:
            return {"type": "string", "format": self._random.choice(_FORMATS)}
        least = self._random.randrange(20)
        return {"type": "string", "minLength": least, "maxLength": least + self._random.randrange(20)}

    def _integer(self) -> Schema:
        low = self._random.randrange(-50, 50)
        schema: Schema = {"type": "integer", self._random.choice(("minimum", "exclusiveMinimum")): low}
        if self._random.random() < 0.5:
            schema[self._random.choice(("maximum", "exclusiveMaximum"))] = low + 10
        if self._random.random() < 0.4:
            schema["multipleOf"] = self._random.choice((1, 2, 3, 5))
        return schema

    def _number(self) -> Schema:
        low = self._random.choice((-1.5, 0, 0.25, 10))
        return {
            "type": "number",
            self._random.choice(("minimum", "exclusiveMinimum")): low,
            self._random.choice(("maximum", "exclusiveMaximum")): low + self._random.choice((0.5, 1, 7.25)),
            **({"multipleOf": self._random.choice((0.1, 0.25, 0.01))} if self._random.random() < 0.3 else {}),
        }

    def _constant(self) -> Schema:
        values = [None, True, "x", 5, 1.5, {"a": [1]}, [], "ü"]
        if self._random.random() < 0.5:
            return {"const": self._random.choice(values)}
        return {"enum": self._random.sample(values, 3)}

    def _several(self) -> Schema:
        return {"type": self._random.sample(["null", "boolean", "string", "integer"], 2)}

    def _object(self, depth: int) -> Schema:
        names = self._random.sample(_NAMES, self._random.randrange(1, 4))
        schema: Schema = {"type": "object", "properties": {name: self._schema(depth + 1) for name in names}}
        if self._random.random() < 0.7:
            schema["required"] = self._some(names)
        rest = self._random.randrange(6)
        if rest == 0:
            schema["additionalProperties"] = False
        elif rest == 1:
            schema |= {
                "patternProperties": {"^p_[a-z]+$": self._schema(depth + 1)},
                "minProperties": len(names) + 1,
            }
            schema["additionalProperties"] = self._schema(depth + 1)
        elif rest == 2:
            schema["dependentRequired"] = {names[0]: self._some(names)}
        elif rest == 3:
            schema |= {"propertyNames": {"maxLength": 9}, "minProperties": len(names) + 1}
        elif rest == 4:
            schema |= {
                "if": {"required": [names[0]]},
                "then": {"required": names},
                "else": {"minProperties": 0},
            }
        return schema

    def _array(self, depth: int) -> Schema:
        schema: Schema = {"type": "array"}
        form = self._random.randrange(5)
        if form == 0:
            schema["prefixItems"] = [self._schema(depth + 1) for _ in range(self._random.randrange(1, 4))]
            schema["items"] = self._random.choice((False, True, self._scalar()))
            schema["minItems"] = self._random.randrange(len(schema["prefixItems"]) + 1)
        elif form == 1:
            schema |= {"contains": self._scalar(), "minContains": self._random.randrange(1, 3)}
            schema["maxContains"] = schema["minContains"] + 1
            schema["minItems"] = self._random.randrange(4)
        elif form == 2:
            schema |= {
                "items": self._random.choice(({"type": "string"}, {"type": "integer"})),
                "uniqueItems": True,
            }
            schema |= {"minItems": self._random.randrange(6), "maxItems": 7}
        else:
            schema |= {"items": self._schema(depth + 1), "minItems": self._random.randrange(4)}
        return schema

    def _combined(self, depth: int) -> Schema:
        form = self._random.randrange(5)
        if form == 0:
            return {"anyOf": [self._schema(depth + 1) for _ in range(2)]}
        if form == 1:
            kinds = self._random.sample(("string", "integer", "array", "null"), 3)
            return {"oneOf": [{"type": kind} for kind in kinds]}
        if form == 2:
            return {"allOf": [self._object_of(("a", "b"), depth), self._object_of(("city", "tags"), depth)]}
        if form == 3:
            return {"not": {"type": self._random.sample(("string", "object", "null", "integer"), 2)}}
        return {"allOf": [{"type": "integer", "minimum": 3}, {"multipleOf": 4}, {"not": {"const": 4}}]}

    def _object_of(self, names: tuple[str, ...], depth: int) -> Schema:
        return {
            "type": "object",
            "properties": {name: self._schema(depth + 1) for name in names},
            "required": self._some(list(names)),
        }

    def _reference(self, _depth: int) -> Schema:
        return {"$ref": self._random.choice(("#/$defs/node", "#/$defs/leaf"))}

    def _some(self, names: list[str]) -> list[str]:
        return self._random.sample(names, self._random.randrange(len(names) + 1))
