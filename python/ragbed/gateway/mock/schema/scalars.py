"""Numbers and strings that a schema is likely to allow, the natural ones first."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import count, islice
from typing import TYPE_CHECKING, Any

from ragbed.gateway.mock.schema.budget import MOST_CHARACTERS, require_size
from ragbed.gateway.mock.schema.keywords import bounds, number
from ragbed.gateway.mock.schema.patterns import texts_with

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ragbed.gateway.mock.schema.keywords import Schema

_MOST_NUMBERS = 10_000
_MOST_TEXTS = 400

FORMATS: dict[str, tuple[str, ...]] = {
    "date-time": ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"),
    "date": ("2026-01-01", "2026-01-02"),
    "time": ("00:00:00Z", "00:00:01Z"),
    "duration": ("P1D", "P2D"),
    "email": ("a@example.com", "b@example.com", "a@b.c"),
    "idn-email": ("a@example.com", "b@example.com"),
    "hostname": ("a.example.com", "b.example.com", "a"),
    "idn-hostname": ("a.example.com", "b.example.com"),
    "ipv4": ("127.0.0.1", "127.0.0.2"),
    "ipv6": ("::1", "::2"),
    "uri": ("https://example.com/a", "https://example.com/b", "a:b"),
    "uri-reference": ("https://example.com/a", "/b"),
    "iri": ("https://example.com/a", "https://example.com/b"),
    "iri-reference": ("https://example.com/a", "/b"),
    "uri-template": ("https://example.com/{a}", "/{b}"),
    "uuid": ("00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"),
    "json-pointer": ("/a", "/b"),
    "relative-json-pointer": ("0", "1"),
    "regex": ("a", "b"),
    "binary": ("YQ==", "Yg=="),
    "byte": ("YQ==", "Yg=="),
}
"""A text of each format, another where texts must differ, and a short one."""


def numbers(parts: Sequence[Schema], *, whole: bool) -> Iterator[float]:
    """Yield numbers of all the schemas, as far as bounds and multiples tell: 0, or the least one allowed, first."""
    low, above, high, below = (
        pick(edges)
        for pick, edges in zip((max, max, min, min), zip(*map(bounds, parts), strict=True), strict=True)
    )
    factors = [number(part, "multipleOf", 0) for part in parts]
    step = _common_multiple([Fraction(str(one)) for one in factors if one > 0])
    if step is not None:
        yield from _steps(step, max(low, above), min(high, below), whole=whole)
    if whole:
        yield from _whole(low, above, high, below)
        return
    yield from map(float, _whole(low, above, high, below))
    yield from _between(max(low, above), min(high, below))


def _common_multiple(steps: Sequence[Fraction]) -> Fraction | None:
    if not steps:
        return None
    top = math.lcm(*(one.numerator for one in steps))
    return Fraction(top, math.gcd(*(one.denominator for one in steps)))


def _steps(step: Fraction, low: float, high: float, *, whole: bool) -> Iterator[float]:
    """Yield multiples of a step from the lower bound up, or from the upper bound down, or from 0 both ways."""
    if whole:
        step = Fraction(math.lcm(step.numerator, step.denominator), step.denominator)
    places: Iterator[int] = (sign * place for place in count() for sign in ((1, -1) if place else (1,)))
    if not math.isinf(low) and low > 0:
        places = count(math.ceil(Fraction(low) / step))
    elif not math.isinf(high) and high < 0:
        places = count(math.floor(Fraction(high) / step), -1)
    for place in islice(places, _MOST_NUMBERS):
        value = step * place
        yield int(value) if value.denominator == 1 else float(value)


def _whole(low: float, above: float, high: float, below: float) -> Iterator[int]:
    least = -math.inf if max(low, above) == -math.inf else max(_up(low), _over(above))
    most = math.inf if min(high, below) == math.inf else min(_down(high), _under(below))
    if not math.isinf(least):
        yield from (one for one in islice(count(int(least)), _MOST_NUMBERS) if one <= most)
    elif not math.isinf(most):
        start = int(min(0, most))
        yield from islice(count(start, -1), _MOST_NUMBERS)
        yield from (one for one in range(1, _MOST_NUMBERS) if one <= most)
    else:
        yield 0
        yield from (sign * one for one in range(1, _MOST_NUMBERS) for sign in (1, -1))


def _up(edge: float) -> float:
    return edge if math.isinf(edge) else math.ceil(edge)


def _over(edge: float) -> float:
    return edge if math.isinf(edge) else math.floor(edge) + 1


def _down(edge: float) -> float:
    return edge if math.isinf(edge) else math.floor(edge)


def _under(edge: float) -> float:
    return edge if math.isinf(edge) else math.ceil(edge) - 1


def _between(low: float, high: float) -> Iterator[float]:
    """Yield numbers between two bounds, both included."""
    if math.isinf(low) and math.isinf(high):
        yield from (one / 2 for one in range(1, _MOST_NUMBERS))
    elif math.isinf(low):
        yield from (high - one / 2 for one in range(_MOST_NUMBERS))
    elif math.isinf(high):
        yield from (low + one / 2 for one in range(_MOST_NUMBERS))
    else:
        for parts in (1, 2, 4, 8, 16, 32, 64):
            yield from (low + (high - low) * part / parts for part in range(parts + 1))


def strings(parts: Sequence[Schema], text: str) -> Iterator[str]:
    """Yield strings of all the schemas, as far as pattern, format and length tell: the text itself, if it may be."""
    least = int(max(number(part, "minLength", 0) for part in parts))
    most = min(number(part, "maxLength", math.inf) for part in parts)
    require_size("minLength", least, MOST_CHARACTERS)
    formats = [part["format"] for part in parts if part.get("format") in FORMATS]
    yield from (one for name in formats for one in FORMATS[name])
    fitted = _fitted(text, least, most)
    yield fitted
    for pattern in (part["pattern"] for part in parts if isinstance(part.get("pattern"), str)):
        yield from texts_with(pattern, least=least)
    for place in range(_MOST_TEXTS):
        mark = str(place)
        yield (fitted[: max(0, len(fitted) - len(mark))] + mark)[: _cut(most)]
    yield from (_fitted(chr(code), least, most) for code in range(ord("a"), ord("z") + 1))


def _fitted(text: str, least: int, most: float) -> str:
    return text[: _cut(most)].ljust(least, ".")


def _cut(most: float) -> int | None:
    return None if math.isinf(most) else max(0, int(most))


def constants(parts: Sequence[Schema]) -> list[Any] | None:
    """Return the values that the first enumeration or constant of the schemas leaves; None where there is none."""
    for part in parts:
        if "const" in part:
            return [part["const"]]
    listed = [part["enum"] for part in parts if isinstance(part.get("enum"), list)]
    return min(listed, key=len) if listed else None
