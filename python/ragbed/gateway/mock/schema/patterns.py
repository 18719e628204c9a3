"""Regular expressions of a schema: whether a text has one, and texts that do."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import lru_cache
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import TYPE_CHECKING, Any

import regex

from ragbed.gateway.engine import NoAnswerError
from ragbed.gateway.mock.schema.budget import MOST_CHARACTERS, require_size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TIMEOUT_S = 0.2
_MIXED = "aA1!bB2?cC3_dD4-eE5.fF6 "
_ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _-.,:;!?/@#%&*+=~|<>()[]{}'\"\\^$`\t\nÀé日"
_CATEGORIES = {
    codes.CATEGORY_DIGIT: r"\d",
    codes.CATEGORY_NOT_DIGIT: r"\D",
    codes.CATEGORY_SPACE: r"\s",
    codes.CATEGORY_NOT_SPACE: r"\S",
    codes.CATEGORY_WORD: r"\w",
    codes.CATEGORY_NOT_WORD: r"\W",
}
_CHARACTERS = (codes.IN, codes.NOT_LITERAL, codes.ANY)
_REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT)
_PLACES = (codes.AT, codes.ASSERT, codes.ASSERT_NOT)
_STRETCHES = (0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89)
_VARIANTS = 40


def is_in(pattern: str, text: str) -> bool:
    """Tell whether a text has a pattern anywhere.

    Raises:
        NoAnswerError: It is not a regular expression, or takes exponentially long.
    """
    _require_short(pattern)
    try:
        return bool(regex.search(pattern, text, timeout=_TIMEOUT_S, concurrent=True))
    except regex.error as error:
        raise NoAnswerError(f"pattern {pattern!r} is not a regular expression: {error}") from None
    except TimeoutError:
        raise NoAnswerError(f"pattern {pattern!r} takes exponentially long") from None


@lru_cache(maxsize=256)
def _require_short(pattern: str) -> None:
    """Refuse a pattern that only a very long text has, before it is compiled: that alone takes minutes."""
    with suppress(re.error, RecursionError, OverflowError):
        require_size(
            f"the shortest text with pattern {pattern!r}",
            parser.parse(pattern).getwidth()[0],
            MOST_CHARACTERS,
        )


def texts_with(pattern: str, *, least: int = 0) -> Iterator[str]:
    """Yield texts that are likely to have a pattern, short ones first; what looks ahead or behind is not followed.

    Args:
        pattern: A regular expression.
        least: A length that some of them shall reach.
    """
    try:
        tree = parser.parse(pattern)
    except (re.error, RecursionError, OverflowError):
        return
    mixed = ((_MIXED * (size // len(_MIXED) + 1))[:size] for size in range(least, least + _VARIANTS))
    if "(?" in pattern:  # it may look ahead: a bit of everything
        yield from mixed
    for stretch in (*_STRETCHES, least):
        for variant in range(_VARIANTS if stretch <= 1 else 3):
            try:
                yield _Text(stretch, variant).of(tree)
            except (_NoTextError, RecursionError):
                break
    with suppress(_NoTextError, RecursionError):
        text = _Text(0, 0).of(tree)
        yield from (f"{text}{place}" for place in range(_VARIANTS))


class _NoTextError(Exception):
    """This part of a pattern has no text that could be written."""


class _Text:
    """Writes one text: repetitions `stretch` times more often than they must be, choices by `variant`."""

    def __init__(self, stretch: int, variant: int) -> None:
        self._stretch = stretch
        self._variant = variant
        self._groups: dict[int, str] = {}

    def of(self, tree: Any) -> str:
        return "".join(self._part(code, value) for code, value in tree)

    def _part(self, code: Any, value: Any) -> str:
        writers: dict[Any, Callable[[Any], str]] = {
            codes.LITERAL: chr,
            codes.BRANCH: lambda choice: self.of(choice[1][self._variant % len(choice[1])]),
            codes.SUBPATTERN: self._group,
            codes.GROUPREF: lambda number: self._groups.get(number, ""),
            codes.ATOMIC_GROUP: self.of,
            **dict.fromkeys(_CHARACTERS, lambda members: self._character(code, members)),
            **dict.fromkeys(_REPEATS, lambda repeat: self._repeated(*repeat)),
            **dict.fromkeys(_PLACES, lambda _: ""),
        }
        if code not in writers:
            raise _NoTextError
        return writers[code](value)

    def _group(self, value: Any) -> str:
        text = self.of(value[3])
        self._groups[value[0] or 0] = text
        return text

    def _repeated(self, least: int, most: Any, tree: Any) -> str:
        count = min(int(least) + self._stretch, int(most))
        if count == 0:
            return ""
        once = self.of(tree)
        if count * max(1, len(once)) > MOST_CHARACTERS:
            raise _NoTextError
        return once * count

    def _character(self, code: Any, value: Any) -> str:
        members = [(code, value)] if code is not codes.IN else value
        negated = bool(members) and members[0][0] is codes.NEGATE
        named = [_letters(member, self._variant) for member in members[negated:]]
        choices = named[self._variant % len(named)] if named and not negated and code is codes.IN else ""
        if not choices:
            choices = "".join(letter for letter in _ALPHABET if _is_one(members, letter))
        if not choices:
            raise _NoTextError
        return choices[self._variant % len(choices)]


def _letters(member: tuple[Any, Any], variant: int) -> str:
    code, value = member
    if code is codes.LITERAL:
        return chr(value)
    if code is codes.RANGE:
        return chr(min(value[0] + variant % 26, value[1]))
    return "".join(letter for letter in _ALPHABET if _is_one([member], letter))


def _is_one(members: list[tuple[Any, Any]], letter: str) -> bool:
    negated = bool(members) and members[0][0] is codes.NEGATE
    return negated != any(_is_member(code, value, letter) for code, value in members[negated:])


def _is_member(code: Any, value: Any, letter: str) -> bool:
    if code is codes.LITERAL:
        return ord(letter) == int(value)
    if code is codes.NOT_LITERAL:
        return ord(letter) != int(value)
    if code is codes.RANGE:
        return ord(letter) in range(value[0], value[1] + 1)
    if code is codes.CATEGORY:
        return bool(re.fullmatch(_CATEGORIES[value], letter))
    return code is codes.ANY and letter != "\n"
