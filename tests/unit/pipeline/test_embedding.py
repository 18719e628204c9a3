"""Embeddings: asked once, split when too long, the same from the cache as from the model."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragbed.errors import EmbeddingFailed, InputTooLong
from ragbed.llm import check_vectors
from ragbed.pipeline.embedding import CachedEmbedding, cache_key, mean, unit
from ragbed.pipeline.ports import CacheUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class LengthEmbedder:
    """Embeds a text by its length, and refuses long ones."""

    def __init__(self, *, longest: int = 1000, digest: str = "d") -> None:
        self.texts: list[str] = []
        self._longest = longest
        self._digest = digest

    def digest(self) -> str:
        """Return the configured digest."""
        return self._digest

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return (length, 1) per text, or refuse them all when one is too long."""
        if any(len(text) > self._longest for text in texts):
            raise InputTooLong("the input length exceeds the context length")
        self.texts.extend(texts)
        return [[float(len(text)), 1.0] for text in texts]


class DictCache:
    """A cache in a dictionary; it does not answer when it is broken."""

    def __init__(self, *, broken: bool = False) -> None:
        self.vectors: dict[str, list[float]] = {}
        self._broken = broken

    def get_many(self, keys: Sequence[str]) -> list[list[float] | None]:
        """Return what is known."""
        if self._broken:
            raise CacheUnavailable("connection refused")
        return [self.vectors.get(key) for key in keys]

    def put_many(self, vectors: Mapping[str, list[float]]) -> None:
        """Keep vectors."""
        if self._broken:
            raise CacheUnavailable("connection refused")
        self.vectors.update(vectors)

    def clear(self) -> None:
        """Forget."""
        self.vectors.clear()


def test_known_text_is_not_embedded_again() -> None:
    """The second asking of a text takes the cache, and gives the same vector."""
    embedder, cache = LengthEmbedder(), DictCache()
    first = CachedEmbedding(embedder, cache, model="m").documents(["ab", "abc"], names=["1", "2"])
    again = CachedEmbedding(embedder, cache, model="m")

    assert again.documents(["abc", "ab"], names=["2", "1"]) == first[::-1]
    assert (again.counts.cached, again.counts.embedded, embedder.texts) == (2, 0, ["ab", "abc"])


def test_same_text_twice_in_a_batch_gives_two_vectors() -> None:
    """Order and number of the texts are kept."""
    vectors = CachedEmbedding(LengthEmbedder(), DictCache(), model="m").documents(
        ["a", "bb", "a"], names=["", "", ""]
    )

    assert vectors[0] == vectors[2] != vectors[1]


def test_broken_cache_is_done_without_and_said() -> None:
    """Embedding goes on, with a warning."""
    embedding = CachedEmbedding(LengthEmbedder(), DictCache(broken=True), model="m")

    assert len(embedding.documents(["a"], names=["1"])) == 1
    assert embedding.warnings == ("embedding cache not used: connection refused",)


def test_text_over_the_context_is_embedded_in_halves() -> None:
    """Only the long text is split, at spaces, and everything of it is embedded."""
    embedder = LengthEmbedder(longest=30)
    embedding = CachedEmbedding(embedder, DictCache(), model="m")

    embedding.documents(["short", "some words " * 8], names=["a", "b"])

    assert embedding.counts.split == 1
    assert "".join(embedder.texts[1:]) == "some words " * 8


def test_text_that_is_refused_in_any_length_names_its_chunk() -> None:
    """Splitting ends, and the error says where."""
    embedding = CachedEmbedding(LengthEmbedder(longest=3), DictCache(), model="m")

    with pytest.raises(EmbeddingFailed, match=r"guide\.md, Setup: the model refuses even"):
        embedding.documents(["word " * 40], names=["guide.md, Setup"])


def test_cache_of_another_dimension_is_an_error() -> None:
    """Vectors of two models are never mixed."""
    embedder, cache = LengthEmbedder(), DictCache()
    cache.vectors[cache_key("a", "d")] = [1.0, 0.0, 0.0]

    with pytest.raises(EmbeddingFailed, match=r"\[2, 3\] dimensions"):
        CachedEmbedding(embedder, cache, model="m").documents(["a", "b"], names=["1", "2"])


@pytest.mark.parametrize(
    ("model", "document", "question"),
    [
        ("nomic-embed-text:latest", "search_document: text", "search_query: text"),
        ("library/nomic-embed-text", "search_document: text", "search_query: text"),
        ("mxbai-embed-large", "text", "Represent this sentence for searching relevant passages: text"),
        ("all-minilm", "text", "text"),
        ("somebody/nomic-embed-text", "text", "text"),
    ],
)
def test_a_model_gets_the_prefixes_it_was_trained_with(model: str, document: str, question: str) -> None:
    """Documents and questions have their own; a model that we do not know gets none."""
    embedder = LengthEmbedder()
    embedding = CachedEmbedding(embedder, DictCache(), model=model)

    embedding.documents(["text"], names=["1"])
    embedding.question("text")

    # The cache gives the second one where both are the same.
    assert embedder.texts == list(dict.fromkeys([document, question]))


@pytest.mark.parametrize("other", [("b", "d"), ("a", "e"), ("ad", "")], ids=["text", "model", "border"])
def test_key_depends_on_text_and_model(other: tuple[str, str]) -> None:
    """A changed model never serves the old model's vectors."""
    assert cache_key(*other) != cache_key("a", "d")


@given(st.lists(st.floats(min_value=-1e6, max_value=1e6), min_size=1, max_size=8))
def test_unit_has_length_one_or_is_zero(vector: list[float]) -> None:
    """Cosines are then plain products."""
    length = math.hypot(*unit(vector))

    assert length == pytest.approx(1, abs=1e-5) or not any(vector) or math.hypot(*vector) < 1e-30


def test_mean_leans_to_the_heavier_vector() -> None:
    """A longer part counts more."""
    assert mean([(3, [1.0, 0.0]), (1, [0.0, 1.0])]) == pytest.approx([0.9487, 0.3162], abs=1e-4)


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        pytest.param([[1.0]], "gave 1 vectors for 2 texts", id="too few"),
        pytest.param([[1.0], [1.0, 2.0]], r"\[1, 2\] dimensions", id="unequal"),
        pytest.param([[], []], r"\[0\] dimensions", id="empty"),
        pytest.param([[1.0], [math.nan]], "not finite for text 2 of 2", id="not a number"),
    ],
)
def test_malformed_vectors_are_refused(vectors: list[list[float]], message: str) -> None:
    """Whatever a provider sends, only one finite vector per text passes."""
    with pytest.raises(EmbeddingFailed, match=message):
        check_vectors(vectors, wanted=2, model="m")
