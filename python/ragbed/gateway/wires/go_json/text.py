"""The first JSON value of a body, its numbers and names as they were written.

Python's C scanner reads what is well-formed. What it does not take is read again by a scanner of our own, which knows
Go's limit of depth and Go's words.
"""

from __future__ import annotations

import json
import json.decoder
import re
from typing import Any

from ragbed.gateway.wires.go_json.errors import DecodeError, EmptyBodyError, quote_byte

MAX_DEPTH = 10_000
"""Brackets inside each other that Go's scanner takes."""

_SPACE = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_DIGITS = re.compile(r"[0-9]*")
_PLAIN = re.compile(r'[^"\\\x00-\x1f]*')
_HEX = re.compile(r"[0-9a-fA-F]*")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LITERALS: dict[str, tuple[str, Any]] = {"t": ("true", True), "f": ("false", False), "n": ("null", None)}


class Number(str):
    """A number as it was written: `1e3` is not a whole number to Go."""

    __slots__ = ()


class Members(list[tuple[str, Any]]):
    """The members of an object in order, equal names included."""

    __slots__ = ()


def first_value(body: bytes) -> Any:
    """Return the first JSON value of a body; what follows it is ignored, as by Go's `Decoder`.

    Args:
        body: Bytes that are not UTF-8 stay in the strings as lone surrogates; see `repaired`.

    Returns:
        Members, list, str, Number, bool or None.

    Raises:
        EmptyBodyError: There is nothing but white space.
        DecodeError: It is not JSON, in Go's words.
    """
    text = body.decode("utf-8", "surrogateescape")
    start = _after_space(text, 0)
    if start == len(text):
        raise EmptyBodyError
    try:
        value, _ = _SCANNER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return _Scanner(text).value()
    return value if isinstance(value, Members) else _Scanner(text).value()


def repaired(text: str) -> str:
    """Return a string as Go holds it: what is not a character is U+FFFD."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def is_whole(text: str) -> bool:
    """Tell whether a string holds characters only: no half an emoji, no byte that is not UTF-8."""
    return text.isascii() or not _SURROGATE.search(text)


def _no_constant(name: str) -> None:
    raise ValueError(name)


_SCANNER = json.JSONDecoder(
    object_pairs_hook=Members, parse_int=Number, parse_float=Number, parse_constant=_no_constant
)


def _after_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


class _Scanner:
    """Reads one value without recursion; `open` holds the lists and objects not yet closed."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._open: list[Members | list[Any]] = []
        self._names: list[str] = []

    def value(self) -> Any:
        while True:
            value = self._begun()
            if isinstance(value, _Opened):
                continue
            while self._open:
                if not self._closed_after(value):
                    break
                value = self._open.pop()
            else:
                return value

    def _begun(self) -> Any:
        """Read a scalar, an empty list or object; or open one that is not empty."""
        sign = self._next()
        if sign in "{[":
            return self._opened(sign)
        if sign == '"':
            return self._string()
        if sign in _LITERALS:
            return self._literal(*_LITERALS[sign])
        if sign == "-" or sign in "0123456789":
            return self._number()
        raise self._wrong("looking for beginning of value")

    def _opened(self, sign: str) -> Any:
        if len(self._open) == MAX_DEPTH:
            raise self._wrong("exceeded max depth")
        self._at += 1
        empty: Members | list[Any] = Members() if sign == "{" else []
        if self._next() == ("}" if sign == "{" else "]"):
            self._at += 1
            return empty
        self._open.append(empty)
        if sign == "{":
            self._name()
        return _OPENED

    def _closed_after(self, value: Any) -> bool:
        """Put a value into the innermost list or object; tell whether that ends there."""
        inner = self._open[-1]
        named = isinstance(inner, Members)
        inner.append((self._names.pop(), value) if named else value)
        sign = self._next()
        if sign == ("}" if named else "]"):
            self._at += 1
            return True
        if sign != ",":
            raise self._wrong("after object key:value pair" if named else "after array element")
        self._at += 1
        if named:
            self._name()
        return False

    def _name(self) -> None:
        if self._next() != '"':
            raise self._wrong("looking for beginning of object key string")
        self._names.append(self._string())
        if self._next() != ":":
            raise self._wrong("after object key")
        self._at += 1

    def _next(self) -> str:
        self._at = _after_space(self._text, self._at)
        return self._sign()

    def _sign(self) -> str:
        if self._at >= len(self._text):
            raise DecodeError("unexpected EOF")
        return self._text[self._at]

    def _wrong(self, place: str) -> DecodeError:
        byte = self._text[self._at].encode("utf-8", "surrogateescape")[0]
        return DecodeError(f"invalid character {quote_byte(byte)} {place}")

    def _string(self) -> str:
        start = self._at + 1
        self._at = start
        while True:
            self._skip(_PLAIN)
            if self._sign() == '"':
                return self._unescaped(start)
            if self._sign() != "\\":
                raise self._wrong("in string literal")
            self._at += 1
            self._escape()

    def _unescaped(self, start: int) -> str:
        text: str
        text, self._at = json.decoder.scanstring(self._text, start, True)  # type: ignore[attr-defined]
        return text

    def _escape(self) -> None:
        if self._sign() not in 'bfnrt\\/"u':
            raise self._wrong("in string escape code")
        self._at += 1
        if self._text[self._at - 1] == "u":
            end = self._at + 4
            match = _HEX.match(self._text, self._at, end)
            self._at = match.end() if match else self._at
            if self._at < end:
                self._sign()
                raise self._wrong("in \\u hexadecimal character escape")

    def _literal(self, word: str, value: Any) -> Any:
        for letter in word:
            if self._sign() != letter:
                raise self._wrong(f"in literal {word} (expecting '{letter}')")
            self._at += 1
        return value

    def _number(self) -> Number:
        start = self._at
        match = _NUMBER.match(self._text, start)
        self._at = match.end() if match else start + 1
        if match is None:
            self._sign()
            raise self._wrong("in numeric literal")
        rest = self._text[self._at : self._at + 1]
        if rest == "." and not set(".eE") & set(match[0]):
            self._unfinished("after decimal point in numeric literal")
        if rest in ("e", "E") and not set("eE") & set(match[0]):
            self._unfinished("in exponent of numeric literal")
        return Number(match[0])

    def _unfinished(self, place: str) -> None:
        self._at += 1
        if place.startswith("in exponent") and self._sign() in "+-":
            self._at += 1
        self._sign()
        raise self._wrong(place)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self._text, self._at)
        self._at = match.end() if match else self._at


class _Opened:
    """Says that a list or an object has been opened, so that its first value is to be read."""


_OPENED = _Opened()
