"""How texts are cut into words: tokenizers, stop words, stemmers."""

from __future__ import annotations

from typing import Any

import qdrant_edge as engine

from ragbed.qdrant.translate.fields import choice, fields, list_of, text

TOKENIZERS = {
    "prefix": engine.TokenizerType.Prefix,
    "whitespace": engine.TokenizerType.Whitespace,
    "word": engine.TokenizerType.Word,
    "multilingual": engine.TokenizerType.Multilingual,
}


CODES = {
    "arabic": "ar", "armenian": "hy", "azerbaijani": "az", "basque": "eu", "bengali": "bn", "catalan": "ca",
    "chinese": "zh", "danish": "da", "dutch": "nl", "english": "en", "finnish": "fi", "french": "fr", "german": "de",
    "greek": "el", "hebrew": "he", "hinglish": "hi-en", "hungarian": "hu", "indonesian": "id", "italian": "it",
    "japanese": "jp", "kazakh": "kk", "nepali": "ne", "norwegian": "no", "portuguese": "pt", "romanian": "ro",
    "russian": "ru", "slovene": "sl", "spanish": "es", "swedish": "sv", "tajik": "tg", "tamil": "ta", "turkish": "tr",
}  # fmt: skip
"""Short names of languages, which a request may use as well."""


def _members(kind: Any) -> dict[str, Any]:
    names = {name.lower(): getattr(kind, name) for name in dir(kind) if name[0].isupper()}
    return names | {CODES[name]: member for name, member in names.items() if name in CODES}


LANGUAGES = _members(engine.Language)
SNOWBALL = _members(engine.SnowballLanguage)


def read_stopwords(value: Any, path: str) -> Any:
    """Return the words to leave out: those of a language, or an object with `languages` and `custom`."""
    if isinstance(value, str):
        return choice(LANGUAGES)(value, path)
    with fields(value, path) as members:
        return engine.StopwordsSet(
            languages=set(members.maybe("languages", list_of(choice(LANGUAGES))) or ()),
            custom=set(members.maybe("custom", list_of(text)) or ()),
        )


def read_stemmer(value: Any, path: str) -> Any:
    """Return what cuts words to their stem: an object with `type` `snowball` and `language`, or `type` `none`."""
    with fields(value, path) as members:
        if members.required("type", choice({"snowball": False, "none": True})):
            return engine.DisabledStemmer()
        return engine.SnowballParams(members.required("language", choice(SNOWBALL)))
