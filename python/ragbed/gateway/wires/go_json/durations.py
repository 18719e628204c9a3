"""Durations as Go's `time.ParseDuration` reads them: `1h30m`, `-1.5s`, `0`.

Source: Go's `time` package (`format.go`).
"""

from __future__ import annotations

import re

from ragbed.gateway.wires.go_json.errors import DecodeError

_UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9}
_UNITS |= {"m": 60 * 10**9, "h": 3600 * 10**9}
_TERM = re.compile(r"([0-9]*)(?:\.([0-9]*))?([^0-9.]*)")
_LIMIT_NS = 1 << 63


def parse_duration(text: str) -> int:
    """Return a duration in nanoseconds.

    Args:
        text: Numbers with units, a sign in front allowed.

    Raises:
        DecodeError: It is none, or longer than 292 years; in Go's words.
    """
    rest = text[1:] if text[:1] in ("-", "+") else text
    if rest == "0":
        return 0
    total = 0
    at = 0
    while at < len(rest) or not rest:
        match = _TERM.match(rest, at)
        if match is None or not (match[1] or match[2]):
            raise _refused("invalid duration", text)
        total += _term_ns(match, text)
        if total > _LIMIT_NS:
            raise _refused("invalid duration", text)
        at = match.end()
    if text.startswith("-"):
        return -total
    if total == _LIMIT_NS:
        raise _refused("invalid duration", text)
    return total


def _term_ns(match: re.Match[str], text: str) -> int:
    whole, fraction, name = match.groups()
    if whole and _is_over(whole):
        raise _refused("invalid duration", text)
    if not name:
        raise _refused("missing unit in duration", text)
    unit = _UNITS.get(name)
    if unit is None:
        raise _refused(f"unknown unit {_quoted(name)} in duration", text)
    value = int(whole or 0)
    if value > _LIMIT_NS // unit:
        raise _refused("invalid duration", text)
    return value * unit + (_part_ns(fraction, unit) if fraction else 0)


def _is_over(digits: str) -> bool:
    significant = digits.lstrip("0")
    return len(significant) > len(str(_LIMIT_NS)) or int(significant or 0) > _LIMIT_NS


def _part_ns(digits: str, unit: int) -> int:
    """Return the nanoseconds of what stands behind the point; digits that 63 bits do not hold are dropped."""
    numerator, scale = 0, 1.0
    for digit in digits:
        if numerator > (_LIMIT_NS - 1) // 10 or numerator * 10 + int(digit) > _LIMIT_NS:
            break
        numerator = numerator * 10 + int(digit)
        scale *= 10
    return int(float(numerator) * (float(unit) / scale))


def _refused(what: str, text: str) -> DecodeError:
    return DecodeError(f"time: {what} {_quoted(text)}")


def _quoted(text: str) -> str:
    """Return a text as the `time` package quotes it: what is not ASCII byte by byte."""
    parts = [_byte(byte) for byte in text.encode("utf-8", "surrogateescape")]
    return f'"{"".join(parts)}"'


def _byte(byte: int) -> str:
    character = chr(byte)
    if not " " <= character < "\x80":
        return f"\\x{byte:02x}"
    return f"\\{character}" if character in '"\\' else character
