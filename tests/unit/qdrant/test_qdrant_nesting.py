"""How deep a body may be nested."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ragbed.qdrant.errors import FormatError
from ragbed.qdrant.translate.nesting import LOGGED_LEVELS, MAX_LEVELS, loggable_filter, within
from ragbed.qdrant.translate.points import read_payload

if TYPE_CHECKING:
    from collections.abc import Callable


def arrays(levels: int) -> Any:
    """Arrays in each other."""
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def objects(levels: int) -> Any:
    """Objects in each other."""
    value: Any = 1
    for _ in range(levels):
        value = {"": value}
    return value


def beside(levels: int) -> Any:
    """The same beside flat values."""
    return {"flat": [1, "a"], "n": None, "deep": [2, {"flat": {}}, arrays(levels - 2)]}


@pytest.mark.parametrize("nested", [arrays, objects, beside])
def test_a_body_of_127_levels_is_the_deepest(nested: Callable[[int], Any]) -> None:
    """As in a real server, whose words are used."""
    assert within(nested(127), MAX_LEVELS) is not None

    with pytest.raises(FormatError, match=r"^Format error in JSON body: recursion limit exceeded$"):
        within(nested(128), MAX_LEVELS)


@pytest.mark.parametrize("nested", [arrays, objects])
def test_a_body_deeper_than_the_stack_is_counted(nested: Callable[[int], Any]) -> None:
    """Python's own stack has fewer levels than the JSON parser takes."""
    with pytest.raises(FormatError):
        within(nested(20_000), MAX_LEVELS)


def test_steps_of_a_key_count_as_levels_of_a_payload() -> None:
    """Each step of the path below which it is written nests it deeper; what is quoted is one step."""
    deep = objects(LOGGED_LEVELS - 3)

    assert read_payload(deep, "payload", 'a[0]."b.c[1].d"') == deep
    with pytest.raises(FormatError, match="at `payload`"):
        read_payload(deep, "payload", "a.b.c.d")


def filtered(depth: int, *, alone: bool) -> Any:
    """A filter in a filter, `alone` as a clause's only condition, else in an array."""
    value: Any = {"must": [{"key": "n", "match": {"value": 1}}]}
    for _ in range(depth):
        value = {"must": value if alone else [value]}
    return value


@pytest.mark.parametrize("alone", [True, False])
def test_an_only_condition_is_as_deep_as_one_in_an_array(alone: bool) -> None:
    """The engine puts it in one."""
    assert loggable_filter(filtered(59, alone=alone), "filter")
    with pytest.raises(FormatError, match="at `filter`"):
        loggable_filter(filtered(60, alone=alone), "filter")
