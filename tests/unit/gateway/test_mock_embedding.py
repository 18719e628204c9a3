"""Hashed embeddings: deterministic, of unit length, closer for texts that share words."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragbed.errors import UsageError
from ragbed.gateway.mock import embed_text

ANY_TEXT = st.text(max_size=200)
DIMENSIONS = st.integers(min_value=1, max_value=800)
WORD = st.sampled_from(
    ["valkey", "postgres", "qdrant", "cache", "vector", "socket", "lock", "folder", "port"]
)


def cosine(one: str, other: str) -> float:
    """Return the similarity of two texts; unit vectors need no division."""
    pairs = zip(embed_text(one, 384), embed_text(other, 384), strict=True)
    return math.fsum(a * b for a, b in pairs)


def printed_vector(hash_seed: str) -> bytes:
    """Return the bytes of a vector made by another process under the given hash seed."""
    code = "from ragbed.gateway.mock import embed_text; print(embed_text('The cache of the cache', 64))"
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, check=True
    ).stdout


def test_vector_is_the_same_in_every_process() -> None:
    """Neither the process nor PYTHONHASHSEED changes a vector."""
    assert (
        printed_vector("1") == printed_vector("2") == f"{embed_text('The cache of the cache', 64)}\n".encode()
    )


def test_vector_is_the_same_in_every_release() -> None:
    """A change of these numbers needs a new ENGINE_VERSION, or caches would mix old vectors and new ones."""
    assert embed_text("hello world", 8) == (
        0.0,
        -0.8858375,
        -0.1534315,
        -0.1534315,
        0.0,
        0.0,
        -0.3068631,
        -0.2721113,
    )


@given(text=ANY_TEXT, dimensions=DIMENSIONS)
def test_vector_has_unit_length(text: str, dimensions: int) -> None:
    """Any text, blank ones too, gives a vector of the asked dimension and of length 1."""
    vector = embed_text(text, dimensions)

    assert len(vector) == dimensions
    assert math.hypot(*vector) == pytest.approx(1, abs=1e-5)


@given(text=ANY_TEXT)
def test_equal_texts_have_equal_vectors(text: str) -> None:
    """Nothing but the text decides: a second call gives the same numbers."""
    assert embed_text(text, 96) == embed_text(text, 96)


@given(words=st.lists(WORD, min_size=1, max_size=12))
def test_order_of_words_does_not_matter(words: list[str]) -> None:
    """A text is a bag of words: sorted, it keeps its vector."""
    assert embed_text(" ".join(words), 96) == embed_text(" ".join(sorted(words)), 96)


@pytest.mark.parametrize(
    "other",
    ["", "   \n\t", "\u200b"],
    ids=["empty", "blank", "zero width space"],
)
def test_blank_texts_are_finite(other: str) -> None:
    """A text without words still has a vector that a vector store accepts."""
    assert all(math.isfinite(component) for component in embed_text(other, 384))


def test_case_does_not_matter() -> None:
    """Upper and lower case are one."""
    assert embed_text("Valkey EVICTS", 384) == embed_text("valkey evicts", 384)


@pytest.mark.parametrize(
    ("query", "near", "far"),
    [
        (
            "Which port does Qdrant use?",
            "Qdrant answers on port 6333 by default.",
            "Postgres refuses to run as root.",
        ),
        ("caching embeddings", "the embedding cache", "a socket path of 107 bytes"),
        ("max_connections exceeded", "raise max_connections in postgresql.conf", "flush the redis database"),
        ("Überlauf im Puffer", "Der Puffer läuft über", "Ein anderes Thema"),
    ],
    ids=["words", "forms of words", "identifiers", "umlauts"],
)
def test_shared_words_bring_texts_closer(query: str, near: str, far: str) -> None:
    """A text that shares words with the query is closer to it than one that does not."""
    assert cosine(query, near) > cosine(query, far) + 0.1


def test_function_words_hardly_count() -> None:
    """Texts that share only function words are not taken for similar."""
    assert cosine("what is the port of the server", "what is the colour of the house") < 0.3


@given(words=st.lists(WORD, min_size=2, max_size=6, unique=True))
def test_a_text_is_closest_to_itself(words: list[str]) -> None:
    """No other text is closer to a text than the text itself."""
    text = " ".join(words)

    assert cosine(text, text) > cosine(text, " ".join(words[1:]))


def test_no_dimension_is_refused() -> None:
    """A vector without components is a caller's mistake."""
    with pytest.raises(UsageError, match="at least 1 dimension, not 0"):
        embed_text("text", 0)


def test_passage_of_1200_characters_takes_under_two_milliseconds() -> None:
    """Two hundred passages with new words among common ones stay below 2 ms each, of processor time."""
    common = "the server keeps its data in a folder and answers every request with one line of text while it waits "
    passages = [f"{common * 10} item{number} run{number * 7} case{number * 13} " for number in range(200)]
    began = process_time()

    for passage in passages:
        embed_text(passage[:1200], 384)

    assert (process_time() - began) / len(passages) < 0.002
