"""Words as the mock sees them: lower case, lightly stemmed, function words known."""

from __future__ import annotations

import re
from functools import lru_cache
from zlib import crc32

from ragbed import segmentation

_APOSTROPHE = re.compile("['\u2019]")
_RUN = re.compile(r"\S+")

STOP_WORDS = frozenset(
    """
    a about after all also am an and any are as at be because been before being between both but by can
    could did do does doing don during each else few for from had has have having he her here hers him
    his how i if in into is isn it its itself just may me might more most must my no nor not now of off
    on once one only or other our out over own s same she should so some such t than that the their
    theirs them then there these they this those through to too under until up very was we were what
    when where which while who whom whose why will with would you your yours
    """.split()  # noqa: SIM905 - a list literal of a hundred words is a page of quotes
)
"""Function words: they say little about what a text is about."""

QUESTION_WORDS = STOP_WORDS | frozenset(
    """
    best call called cause causes come comes explain get gets getting give given gives go goes happen
    happens help know long look make makes many mean means much need needs please reason say says set
    sets show shows tell thing things try use used uses using want way work works write
    """.split()  # noqa: SIM905 - a list literal of a hundred words is a page of quotes
)
"""Words that a question has because it is a question; what is left is what it asks about."""

_SUFFIXES = (
    ("ings", "", 4),
    ("ing", "", 4),
    ("ed", "", 4),
    ("ies", "y", 3),
    ("sses", "ss", 3),
    ("ches", "ch", 3),
    ("shes", "sh", 3),
    ("xes", "x", 3),
    ("s", "", 3),
)
"""Ending, what replaces it, and the letters that must be left: `string` and `embed` carry no ending."""


def split_words(text: str) -> list[str]:
    """Return the words of a text in lower case and in order; scripts that write no spaces give n-grams."""
    return segmentation.split_words(_APOSTROPHE.sub(" ", text))


def count_tokens(text: str) -> int:
    """Return how many tokens the mock counts in a text: its words, parted by white space."""
    return len(text.split())


def token_numbers(text: str) -> tuple[int, ...]:
    """Return a number for each token of a text, the same for the same word."""
    return tuple(crc32(word.encode("utf-8", "surrogatepass")) & 0x7FFF for word in text.split())


def last_words(text: str, count: int) -> str:
    """Return the end of a text, from the first of its last words on."""
    words = list(_RUN.finditer(text))
    return text[words[-count].start() :] if 0 < count < len(words) else text


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """Return a word without its plural, `-ing` or `-ed` ending, so that forms of one word meet.

    Args:
        word: Lower case.

    Returns:
        The stem, at least three letters long; words that carry no such ending come back unchanged.
    """
    if not word.isalpha() or word.endswith(("ss", "us", "is")):
        return word
    for suffix, replacement, shortest in _SUFFIXES:
        stemmed = word.removesuffix(suffix) + replacement
        if word.endswith(suffix) and len(stemmed) >= shortest:
            return _plain(_undoubled(stemmed) if suffix in _DOUBLING else stemmed)
    return _plain(word)


_DOUBLING = ("ings", "ing", "ed")


def _undoubled(stemmed: str) -> str:
    """Undo the doubled consonant of `running`; `pass` and `fall` have theirs by right."""
    doubled = stemmed[-1] == stemmed[-2] and stemmed[-1] not in "ls"
    return stemmed[:-1] if doubled else stemmed


def _plain(stemmed: str) -> str:
    """Drop the silent `e` by which `cache` and `caching` differ."""
    return stemmed.removesuffix("e") if len(stemmed) > 4 else stemmed


def content_stems(text: str) -> list[str]:
    """Return the stems of the words a question is about: each once, in order of appearance.

    Japanese writes its inflections and question words in hiragana: those are left out where anything else is left.
    """
    stems = dict.fromkeys(stem(word) for word in split_words(text) if word not in QUESTION_WORDS)
    return [one for one in stems if not segmentation.is_hiragana(one)] or list(stems)
