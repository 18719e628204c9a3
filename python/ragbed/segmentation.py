"""Words of a text in any script, and n-grams where a script writes no spaces between words.

Chinese, Japanese, Korean, Thai, Lao, Khmer and Burmese texts are cut into overlapping n-grams: a word of a question
then meets the same word within a longer run of a document, without a dictionary.

Source: overlapping bigrams as index terms, Lee and Ahn, "Using n-grams for Korean text retrieval", SIGIR 1996.
"""

from __future__ import annotations

import re
import unicodedata

_HAN = "\u2e80-\u2fdf\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd"
_HIRAGANA = "\u3041-\u309f"
_KATAKANA = "\u30a1-\u30ff\u31f0-\u31ff"
_HANGUL = "\u1100-\u11ff\u3131-\u318e\ua960-\ua97f\uac00-\ud7ff"
_SOUTHEAST = "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ece\u1000-\u1049\u1050-\u109f\u1780-\u17d3\u17dc\u17dd"
# Vowel signs and accents are not letters to the `re` module, and belong to the word that they stand in.
_MARKS = (
    "\u0300-\u036f\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0963\u0966-\u0dff\u0f18-\u0f39\u0f71-\u0fbc"
    "\u200c\u200d"  # joiners within words of Persian and of India's scripts
)
_WORD = re.compile(rf"[^\W_][\w{_MARKS}{_SOUTHEAST}]*(?:['\u2019][^\W\d_]+)?")
_SPACELESS = re.compile(rf"[{_HAN}{_HIRAGANA}{_KATAKANA}{_HANGUL}{_SOUTHEAST}]")
_RUN = re.compile(
    rf"([{_HAN}]+)|([{_HIRAGANA}]+)|([{_KATAKANA}]+)|([{_HANGUL}]+)|([{_SOUTHEAST}]+)"
    rf"|[^{_HAN}{_HIRAGANA}{_KATAKANA}{_HANGUL}{_SOUTHEAST}]+"
)
_LENGTHS = {1: 2, 2: 2, 3: 2, 4: 2, 5: 3}  # an ideograph or a syllable says more than a letter of an alphabet
_ONLY_HIRAGANA = re.compile(rf"[{_HIRAGANA}]+")


def split_words(text: str) -> list[str]:
    """Return the words of a text in order: lower case, in compatibility form, n-grams where there are no spaces.

    Args:
        text: Prose, code or both. Identifiers fall apart at dots, dashes and underscores.
    """
    if text.isascii():
        return _WORD.findall(text.replace("_", " ").lower())
    plain = unicodedata.normalize("NFKC", text).replace("_", " ").lower()
    words = _WORD.findall(plain)
    return [part for word in words for part in ([word] if not _SPACELESS.search(word) else _parts(word))]


def is_spaceless(text: str) -> bool:
    """Tell whether a text has letters of a script that writes no spaces between words."""
    return not text.isascii() and _SPACELESS.search(text) is not None


def is_hiragana(word: str) -> bool:
    """Tell whether a word is hiragana alone: inflections and particles, mostly."""
    return _ONLY_HIRAGANA.fullmatch(word) is not None


def _parts(word: str) -> list[str]:
    parts: list[str] = []
    for run in _RUN.finditer(word):
        length = _LENGTHS.get(run.lastindex or 0, 0)
        parts.extend(_grams(run[0], length) if length else _WORD.findall(run[0]))
    return parts


def _grams(run: str, length: int) -> list[str]:
    return [run[start : start + length] for start in range(max(1, len(run) - length + 1))]
