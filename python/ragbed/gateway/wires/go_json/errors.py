"""Refusals in the words of Go's `encoding/json`, and how Go quotes text in its messages."""

from __future__ import annotations

from dataclasses import dataclass

_SHORT = {"\a": r"\a", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\v": r"\v"}
_SHORT |= {"\\": r"\\", '"': r"\""}
_LAST_OF_PLANE = 0xFFFF


class DecodeError(Exception):
    """A body that a Go server does not take; its text is what that server says."""


class EmptyBodyError(DecodeError):
    """A body without a value: nothing at all, or white space."""

    def __init__(self) -> None:
        super().__init__("EOF")


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A value of another type than the field's.

    Attributes:
        value: What came: `string`, `number 1.5`.
        type_name: Go's name of the type expected: `[]api.Message`.
        struct: Name of the innermost struct; empty outside of any.
        field: Names of the fields on the way to the value, joined by dots.
    """

    value: str
    type_name: str
    struct: str = ""
    field: str = ""

    def __str__(self) -> str:
        """Return Go's words for it."""
        place = f"struct field {self.struct}.{self.field}" if self.struct or self.field else "value"
        return f"json: cannot unmarshal {self.value} into Go {place} of type {self.type_name}"


class MismatchError(DecodeError):
    """A mismatch that leaves a nested decoder; the outer one adds its place."""

    def __init__(self, mismatch: Mismatch) -> None:
        super().__init__(str(mismatch))
        self.mismatch = mismatch


def quote(text: str, *, mark: str = '"') -> str:
    """Return a text as Go's `%q` shows it."""
    return mark + "".join(_quoted(character) for character in text) + mark


def quote_byte(byte: int) -> str:
    """Return a byte as the scanner's errors show it: a character in single quotation marks."""
    character = chr(byte)
    if character in "'\"":
        return {"'": r"'\''", '"': "'\"'"}[character]
    return quote(character, mark="'")


def _quoted(character: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    if character == " " or (character.isprintable() and not character.isspace()):
        return character
    code = ord(character)
    if code < ord(" ") or code == 0x7F:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= _LAST_OF_PLANE else f"\\U{code:08x}"
