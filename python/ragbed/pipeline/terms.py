"""Words of a text made comparable: lower case, split at signs, stemmed lightly, stop words left out."""

from __future__ import annotations

import re
from functools import lru_cache

from ragbed.segmentation import split_words

TERMS_VERSION = 3
"""Goes into the index's fingerprint: raise it whenever a text gives other terms."""

_NO_VERB_BEFORE_ED = frozenset(("emb", "hundr"))
_VOWEL = re.compile(r"[aeiouy]")
_LONGEST = 40  # longer runs are hashes and keys; their beginning identifies them

STOP_WORDS = frozenset(
    """
    a about above after again all also am an and any are as at be because been before being below
    between both but by can cannot could did do does doing done down during each either else etc
    ever every few for from further get gets getting got had has have having he her here hers him
    his how however i if in into is it its itself just let like make makes may me might more most
    much must my myself no nor not now of off on once one only or other our ours out over own per
    please quite rather really s same shall she should so some still such t than that the their
    theirs them then there these they this those through to too under until up upon us very via was
    we were what when where whether which while who whom whose why will with within without would
    yet you your yours re ve ll don doesn didn isn aren wasn won
    """.split()  # noqa: SIM905 - a list literal of so many words is a page of quotes
)


def terms(text: str) -> list[str]:
    """Return the stems of a text's words in order, repeated as often as they occur.

    Args:
        text: Prose, code or both.

    Returns:
        Stems without stop words; empty for a text of stop words and signs. Scripts that write no spaces give
        n-grams.
    """
    return [stem(word) for word in split_words(text) if word not in STOP_WORDS]


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """Return a stem that plain English inflections of a word share.

    Args:
        word: In lower case. Words with digits and words up to three letters are kept as they are.
    """
    word = re.sub(r"['\u2019].*", "", word)[:_LONGEST]
    if len(word) <= 3 or not word.isalpha() or not word.isascii():
        return word
    word = _without_ending(_without_plural(word))
    return word[:-1] if len(word) > 3 and word.endswith("e") else word


def _without_plural(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _without_ending(word: str) -> str:
    """Take off one of the endings that verbs and their nouns have."""
    for ending, shortest in (("ing", 3), ("ied", 2), ("ed", 3), ("ion", 4), ("ly", 4)):
        start = word[: -len(ending)]
        if not word.endswith(ending) or len(start) < shortest or not _VOWEL.search(start):
            continue
        if ending == "ied":
            return start + "y"
        if ending == "ion" and start[-1] not in "st":
            continue
        if ending == "ed" and (start in _NO_VERB_BEFORE_ED or start.endswith("e")):
            continue
        doubled = start[-1] == start[-2] and start[-1] not in "lsz"
        return start[:-1] if doubled and ending in {"ing", "ed"} else start
    return word
