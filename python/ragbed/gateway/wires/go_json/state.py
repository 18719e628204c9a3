"""How a decoder goes through a body: where it is, the first value that did not fit, and what a type must do."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Protocol

from ragbed.gateway.wires.go_json.errors import DecodeError, Mismatch, MismatchError
from ragbed.gateway.wires.go_json.text import Members, Number, repaired

_LONGEST_WHOLE = 20  # characters of the longest number of 64 bits, its sign included


class Kind(Protocol):
    """A type of Go's."""

    @property
    def name(self) -> str:
        """Go's name of the type."""
        ...

    def read(self, value: Any, old: Any, state: State) -> Any:
        """Return the value as this type holds it.

        Args:
            value: Members, list, str, Number, bool or None.
            old: What the field holds, from an earlier member of the same name or the zero value; null leaves it.
            state: Collects the first mismatch.

        Raises:
            DecodeError: The type's own reader refuses the value.
        """
        ...

    def zero(self) -> Any:
        """Return what a field holds that the body does not name."""
        ...


@dataclass(slots=True)
class State:
    """Where a decoder is, and the first value that did not fit."""

    struct: str = ""
    fields: list[str] = field(default_factory=list)
    error: DecodeError | None = None

    def mismatch(self, value: str, name: str) -> None:
        """Note a value of a wrong type; the first one counts, and decoding goes on."""
        self.save(self.placed(MismatchError(Mismatch(value, name))))

    def save(self, error: DecodeError) -> None:
        """Note an error that is told where nothing worse follows."""
        self.error = self.error or error

    def placed(self, error: DecodeError) -> DecodeError:
        """Return an error with the place where this decoder is."""
        if not isinstance(error, MismatchError) or not (self.struct or self.fields):
            return error
        inner = error.mismatch
        path = [*self.fields, *([inner.field] if inner.field else [])]
        return MismatchError(Mismatch(inner.value, inner.type_name, self.struct, ".".join(path)))


def unmarshal(value: Any, kind: Kind) -> Any:
    """Return a JSON value as a type of Go's holds it.

    Args:
        value: Members, list, str, Number, bool or None.
        kind: The type of the whole.

    Raises:
        DecodeError: A value has a wrong type.
    """
    state = State()
    try:
        result = kind.read(value, kind.zero(), state)
    except RecursionError as error:
        raise DecodeError("exceeded max depth") from error
    if state.error is not None:
        raise state.error
    return result


def described(value: Any) -> str:
    """Return the word of Go's for the kind of a JSON value."""
    words = {Members: "object", list: "array", bool: "bool", Number: "number", str: "string"}
    return words[type(value)]


def plain(value: Any, state: State | None = None) -> Any:
    """Return a value as dict, list, str, int, float, bool and None; without recursion, a body may be deep."""
    state = state or State()
    holder: list[Any] = [None]
    rest: list[tuple[Any, Any, Any]] = [(value, holder, 0)]
    while rest:
        item, into, key = rest.pop()
        if isinstance(item, Members):
            into[key] = members = dict.fromkeys(repaired(name) for name, _ in item)
            last = {repaired(name): member for name, member in item}
            rest += [(last[name], members, name) for name in members]
        elif isinstance(item, list):
            into[key] = items = [None] * len(item)
            rest += [(member, items, place) for place, member in enumerate(item)]
        else:
            into[key] = _scalar(item, state)
    return holder[0]


def is_short_whole(number: Number) -> bool:
    """Tell whether a number is written without point and exponent, and has at most 19 digits."""
    digits = number.removeprefix("-")
    return digits.isdigit() and len(digits) < _LONGEST_WHOLE


def _scalar(value: Any, state: State) -> Any:
    if isinstance(value, Number):
        number = float(value)
        if math.isinf(number):
            state.mismatch(f"number {value}", "float64")
            return 0.0
        return int(value) if is_short_whole(value) else number
    return repaired(value) if isinstance(value, str) else value
