"""Go's types, as far as the bodies of a wire are made of them, and how a JSON value goes into each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ragbed.gateway.wires.go_json.base64 import decode_base64
from ragbed.gateway.wires.go_json.errors import DecodeError
from ragbed.gateway.wires.go_json.state import Kind, State, described, is_short_whole, plain
from ragbed.gateway.wires.go_json.text import Members, Number, repaired

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class Text:
    """A string."""

    name: str = "string"

    def read(self, value: Any, old: Any, state: State) -> Any:
        """Return the value as this type holds it."""
        if value is None:
            return old
        if type(value) is not str:
            state.mismatch(described(value), self.name)
            return old
        return repaired(value)

    def zero(self) -> str:
        """Return the value of a field that the body does not name."""
        return ""


@dataclass(frozen=True)
class Bool:
    """A truth value."""

    name: str = "bool"

    def read(self, value: Any, old: Any, state: State) -> Any:
        """Return the value as this type holds it."""
        if value is None:
            return old
        if not isinstance(value, bool):
            state.mismatch(described(value), self.name)
            return old
        return value

    def zero(self) -> bool:
        """Return the value of a field that the body does not name."""
        return False


@dataclass(frozen=True)
class Whole:
    """A whole number of some bits; one that is written with a point or an exponent is none."""

    name: str = "int"
    least: int = -(1 << 63)
    most: int = (1 << 63) - 1

    def read(self, value: Any, old: Any, state: State) -> Any:
        """Return the value as this type holds it."""
        if value is None:
            return old
        if not isinstance(value, Number):
            state.mismatch(described(value), self.name)
            return old
        if is_short_whole(value) and self.least <= int(value) <= self.most:
            return int(value)
        state.mismatch(f"number {value}", self.name)
        return old

    def zero(self) -> int:
        """Return the value of a field that the body does not name."""
        return 0


@dataclass(frozen=True)
class Real:
    """A number of 64 bits, or of 32."""

    name: str = "float64"
    most: float = math.inf

    def read(self, value: Any, old: Any, state: State) -> Any:
        """Return the value as this type holds it."""
        if value is None:
            return old
        if not isinstance(value, Number):
            state.mismatch(described(value), self.name)
            return old
        number = float(value)
        if math.isinf(number) or abs(number) > self.most:
            state.mismatch(f"number {value}", self.name)
            return old
        return number

    def zero(self) -> float:
        """Return the value of a field that the body does not name."""
        return 0.0


@dataclass(frozen=True)
class Anything:
    """Any value: dict, list, str, int, float, bool or None."""

    name: str = "interface {}"

    def read(self, value: Any, _old: Any, state: State) -> Any:
        """Return the value as this type holds it."""
        return plain(value, state)

    def zero(self) -> None:
        """Return the value of a field that the body does not name."""
        return


@dataclass(frozen=True)
class Raw:
    """A value kept as it is, to be read later."""

    name: str = "json.RawMessage"

    def read(self, value: Any, _old: Any, _state: State) -> Any:
        """Return the value as this type holds it."""
        return plain(value)

    def zero(self) -> Any:
        """Return the value of a field that the body does not name."""
        return None


@dataclass(frozen=True)
class Kept:
    """A value that must have a type, and is kept as it was written: a schema of which the type reads a part."""

    kind: Kind

    @property
    def name(self) -> str:
        """Go's name of the type."""
        return self.kind.name

    def read(self, value: Any, _old: Any, state: State) -> Any:
        """Return the value as this type holds it."""
        self.kind.read(value, self.kind.zero(), state)
        return plain(value)

    def zero(self) -> None:
        """Return the value of a field that the body does not name."""
        return


@dataclass(frozen=True)
class Map:
    """An object of any values, by name."""

    name: str = "map[string]interface {}"

    def read(self, value: Any, old: Any, state: State) -> Any:
        """Return the value as this type holds it."""
        if value is None:
            return None
        if not isinstance(value, Members):
            state.mismatch(described(value), self.name)
            return old
        return {**(old or {}), **plain(value, state)}

    def zero(self) -> None:
        """Return the value of a field that the body does not name."""
        return


@dataclass(frozen=True)
class List:
    """A list of one type."""

    items: Kind
    name: str

    def read(self, value: Any, old: Any, state: State) -> Any:
        """Return the value as this type holds it."""
        if value is None:
            return None
        if not isinstance(value, list) or isinstance(value, Members):
            state.mismatch(described(value), self.name)
            return old
        before = list(old or ())[: len(value)]
        before += [self.items.zero() for _ in range(len(value) - len(before))]
        return [self.items.read(item, was, state) for item, was in zip(value, before, strict=True)]

    def zero(self) -> None:
        """Return the value of a field that the body does not name."""
        return


_BYTE = Whole("uint8", 0, 255)


@dataclass(frozen=True)
class Bytes:
    """Bytes, written in base64 or as a list of numbers."""

    name: str = "[]uint8"

    def read(self, value: Any, old: Any, state: State) -> Any:
        """Return the value as this type holds it."""
        if type(value) is str:
            try:
                return decode_base64(repaired(value))
            except DecodeError as error:
                state.save(error)
                return old
        if value is None or (isinstance(value, list) and not isinstance(value, Members)):
            numbers = List(_BYTE, self.name).read(value, None, state)
            return None if numbers is None else bytes(numbers)
        state.mismatch(described(value), self.name)
        return old

    def zero(self) -> None:
        """Return the value of a field that the body does not name."""
        return


@dataclass(frozen=True)
class Pointer:
    """A field that may be absent: None."""

    to: Kind

    @property
    def name(self) -> str:
        """Go's name of the type."""
        return f"*{self.to.name}"

    def read(self, value: Any, old: Any, state: State) -> Any:
        """Return the value as this type holds it."""
        if value is None:
            return None
        return self.to.read(value, self.to.zero() if old is None else old, state)

    def zero(self) -> None:
        """Return the value of a field that the body does not name."""
        return


@dataclass(frozen=True)
class Struct:
    """An object of known fields; names are matched in any case, unknown ones are passed over.

    Attributes:
        name: With its package: `api.ChatRequest`.
        fields: By the names that JSON has for them.
    """

    name: str
    fields: Mapping[str, Kind]

    def read(self, value: Any, old: Any, state: State) -> Any:
        """Return the value as this type holds it."""
        if value is None:
            return old
        if not isinstance(value, Members):
            state.mismatch(described(value), self.name)
            return old
        outer = state.struct
        result: dict[str, Any] = dict(old)
        for name, member in value:
            key = self._key(name)
            if key is not None:
                state.struct = self.name.rpartition(".")[2]
                state.fields.append(key)
                result[key] = self.fields[key].read(member, result[key], state)
                state.fields.pop()
                state.struct = outer
        return result

    def zero(self) -> dict[str, Any]:
        """Return the value of a field that the body does not name."""
        return {name: kind.zero() for name, kind in self.fields.items()}

    def _key(self, name: str) -> str | None:
        if name in self.fields:
            return name
        folded = folded_name(name)
        return next((key for key in self.fields if folded_name(key) == folded), None)


def folded_name(name: str) -> str:
    """Return a name as Go compares it: two characters beyond ASCII are a `k` and an `s` to it."""
    name = name.replace("\u212a", "k").replace("\u017f", "s")
    return name.lower() if name.isascii() else name


@dataclass(frozen=True)
class Own:
    """A type that reads itself, by a decoder of its own.

    Attributes:
        name: With its package.
        reader: Returns what the type holds; null comes to it too, unless a pointer is in between.
        empty: Returns what an absent field holds.
    """

    name: str
    reader: Callable[[Any], Any]
    empty: Callable[[], Any]

    def read(self, value: Any, _old: Any, state: State) -> Any:
        """Return the value as this type holds it."""
        try:
            return self.reader(value)
        except DecodeError as error:
            raise state.placed(error) from None

    def zero(self) -> Any:
        """Return the value of a field that the body does not name."""
        return self.empty()
