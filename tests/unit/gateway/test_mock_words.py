"""How the mock reads words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragbed.gateway.mock.words import content_stems, count_tokens, split_words, stem


@pytest.mark.parametrize(
    "forms",
    [
        ("cache", "caches", "caching", "cached"),
        ("run", "runs", "running"),
        ("drop", "dropped", "dropping"),
        ("embed", "embedded", "embedding", "embeddings"),
        ("policy", "policies"),
        ("index", "indexes"),
        ("pass", "passes", "passed"),
        ("fail", "failing", "fails"),
    ],
    ids=lambda forms: forms[0],
)
def test_forms_of_a_word_share_a_stem(forms: tuple[str, ...]) -> None:
    """Plural, -ing and -ed forms meet in one stem."""
    assert len({stem(form) for form in forms}) == 1


@pytest.mark.parametrize("word", ["redis", "status", "is", "pass", "6333", "v1", "ring"])
def test_words_that_only_look_inflected_stay(word: str) -> None:
    """An ending that belongs to the word is not cut off."""
    assert stem(word) == word


@given(word=st.from_regex(r"[a-z]{1,20}", fullmatch=True))
def test_a_stem_is_never_empty(word: str) -> None:
    """Whatever the word, something is left of it."""
    assert stem(word)


def test_identifiers_fall_into_their_words() -> None:
    """Underscores, dots and dashes part words, so `max_connections` meets "connections"."""
    assert split_words("max_connections=100, api-key, v1.18") == [
        "max", "connections", "100", "api", "key", "v1", "18",
    ]  # fmt: skip


def test_question_words_are_not_content() -> None:
    """What makes a sentence a question says nothing about its subject."""
    assert content_stems("What is the default port of the Qdrant server, and which port?") == [
        "default", "port", "qdrant", "server",
    ]  # fmt: skip


@given(words=st.lists(st.from_regex(r"[a-z]+", fullmatch=True)))
def test_tokens_are_words(words: list[str]) -> None:
    """Tokens default to the count of words."""
    assert count_tokens("  ".join(words)) == len(words)
