"""Strict reading of JSON: every field is asked for, and a field that was not asked for is refused.

A real Qdrant drops fields that it does not know. Here that would hide a parameter that changes results, so the
client is told instead.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from ragbed.qdrant.errors import FormatError, InvalidValue, Unsupported, first_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ragbed.qdrant.errors import ApiError

T = TypeVar("T")
D = TypeVar("D")


class Fields:
    """One JSON object under reading.

    Args:
        value: The JSON value; must be an object.
        path: Where it stands in the body, for messages; empty at the top.
    """

    def __init__(self, value: Any, path: str = "") -> None:
        if not isinstance(value, dict):
            raise FormatError(f"invalid type: {json_type(value)}, expected an object{_at(path)}")
        self._left = {name: item for name, item in value.items() if item is not None}
        self._known: list[str] = []
        self.path = path

    def __contains__(self, name: str) -> bool:
        return name in self._left

    def at(self, name: str) -> str:
        """Return the path of a field of this object."""
        return f"{self.path}.{name}" if self.path else name

    def optional(self, name: str, read: Callable[[Any, str], T], default: D) -> T | D:
        """Return a field's value; `default` when it is missing or null."""
        self._known.append(name)
        return read(self._left.pop(name), self.at(name)) if name in self._left else default

    def maybe(self, name: str, read: Callable[[Any, str], T]) -> T | None:
        """Return a field's value; None when it is missing or null."""
        self._known.append(name)
        return read(self._left.pop(name), self.at(name)) if name in self._left else None

    def required(self, name: str, read: Callable[[Any, str], T]) -> T:
        """Return a field's value; raise FormatError when it is missing or null."""
        self._known.append(name)
        if name not in self._left:
            raise FormatError(f"missing field `{name}`{_at(self.path)}")
        return read(self._left.pop(name), self.at(name))

    def unsupported(self, *names: str) -> None:
        """Refuse fields that a real server would honour; raise Unsupported."""
        for name in names:
            if name in self._left:
                raise Unsupported(f"`{self.at(name)}`")

    def close(self) -> None:
        """Refuse a field that was not asked for; raise FormatError."""
        for name in self._left:
            expected = ", ".join(f"`{known}`" for known in self._known)
            raise FormatError(f"unknown field `{name}`{_at(self.path)}, expected one of {expected}")


@contextmanager
def fields(value: Any, path: str = "") -> Iterator[Fields]:
    """Read one JSON object; on the way out, refuse the fields that were not asked for."""
    reading = Fields(value, path)
    yield reading
    reading.close()


@contextmanager
def engine_value(path: str, error: type[ApiError] = FormatError) -> Iterator[None]:
    """Turn the engine's complaint about a value into the client's error, with the field's path."""
    try:
        yield
    except (TypeError, ValueError, OverflowError) as cause:
        raise error(f"{first_line(cause)}{_at(path)}") from cause


def _at(path: str) -> str:
    return f" at `{path}`" if path else ""


def json_type(value: Any) -> str:
    """Name a JSON value's type as error messages do."""
    names = {
        dict: "map",
        list: "sequence",
        str: "string",
        bool: "boolean",
        int: "integer",
        float: "floating point",
    }
    return "null" if value is None else names.get(type(value), type(value).__name__)


def boolean(value: Any, path: str) -> bool:
    """Return a JSON boolean."""
    if not isinstance(value, bool):
        raise FormatError(f"invalid type: {json_type(value)}, expected a boolean{_at(path)}")
    return value


def text(value: Any, path: str) -> str:
    """Return a JSON string."""
    if not isinstance(value, str):
        raise FormatError(f"invalid type: {json_type(value)}, expected a string{_at(path)}")
    return value


def number(value: Any, path: str) -> float:
    """Return a JSON number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FormatError(f"invalid type: {json_type(value)}, expected f64{_at(path)}")
    return float(value)


def integer(minimum: int, maximum: int = 2**64 - 1) -> Callable[[Any, str], int]:
    """Return a reader of integers in a range; what is over the engine's 63 bits is taken for the largest of them."""

    def read(value: Any, path: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise FormatError(f"invalid type: {json_type(value)}, expected an integer{_at(path)}")
        if value < 0:
            raise FormatError(f"invalid value: integer `{value}`, expected an unsigned integer{_at(path)}")
        if not minimum <= value <= maximum:
            raise InvalidValue(path, f"value {value} invalid, must be {_limits(minimum, maximum)}")
        return min(value, 2**63 - 1)

    return read


def _limits(minimum: int, maximum: int) -> str:
    if maximum >= 2**64 - 1:
        return f"{minimum} or larger"
    return f"from {minimum} to {maximum}" if minimum else f"{maximum} or less"


def mapping(value: Any, path: str) -> dict[str, Any]:
    """Return a JSON object, unread."""
    if not isinstance(value, dict):
        raise FormatError(f"invalid type: {json_type(value)}, expected an object{_at(path)}")
    return value


def sequence(value: Any, path: str) -> list[Any]:
    """Return a JSON array, unread."""
    if not isinstance(value, list):
        raise FormatError(f"invalid type: {json_type(value)}, expected a sequence{_at(path)}")
    return value


def list_of(read: Callable[[Any, str], T]) -> Callable[[Any, str], list[T]]:
    """Return a reader of arrays whose items `read` reads."""
    return lambda value, path: [
        read(item, f"{path}[{index}]") for index, item in enumerate(sequence(value, path))
    ]


def one_or_many(read: Callable[[Any, str], T]) -> Callable[[Any, str], list[T]]:
    """Return a reader that takes one item or an array of them."""
    many = list_of(read)
    return lambda value, path: many(value, path) if isinstance(value, list) else [read(value, path)]


def choice(options: Mapping[str, T]) -> Callable[[Any, str], T]:
    """Return a reader of one of some words."""

    def read(value: Any, path: str) -> T:
        if not isinstance(value, str) or value not in options:
            expected = ", ".join(f"`{name}`" for name in options)
            raise FormatError(f"unknown variant `{value}`, expected one of {expected}{_at(path)}")
        return options[value]

    return read
