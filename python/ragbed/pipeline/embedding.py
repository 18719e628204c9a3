"""Embeddings with a cache in front, and with texts over the model's context embedded in parts."""

from __future__ import annotations

import hashlib
import math
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ragbed.errors import EmbeddingFailed, InputTooLong
from ragbed.pipeline.ports import CacheUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ragbed.pipeline.ports import Embedder, EmbeddingCache
    from ragbed.pipeline.records import Vector

_SEARCHING = "Represent this sentence for searching relevant passages: "
_PREFIXES = {
    "nomic-embed-text": ("search_document: ", "search_query: "),
    "nomic-embed-text-v2-moe": ("search_document: ", "search_query: "),
    "mxbai-embed-large": ("", _SEARCHING),
    "snowflake-arctic-embed": ("", _SEARCHING),
    "snowflake-arctic-embed2": ("", "query: "),
    "embeddinggemma": ("title: none | text: ", "task: search result | query: "),
}
"""As the publishers' model cards say: what was trained with a prefix finds less without it."""
_SHORTEST_PART = 16  # characters; a model that refuses these refuses everything


@dataclass(slots=True, kw_only=True)
class EmbeddingCounts:
    """What it took to embed so far: texts by the model, texts from the cache, texts in parts."""

    embedded: int = 0
    cached: int = 0
    split: int = 0


def prefixes(model: str) -> tuple[str, str]:
    """Return what a model wants before a document and before a question; empty for most.

    Args:
        model: Name with or without a tag; `library/` is the place where names without one are.
    """
    return _PREFIXES.get(model.removeprefix("library/").partition(":")[0], ("", ""))


class CachedEmbedding:
    """Embeds documents and questions, asking the cache first.

    Args:
        embedder: The model.
        cache: A cache; when it does not answer, embedding goes on without it.
        model: Name of the model; decides on the prefixes.
    """

    def __init__(self, embedder: Embedder, cache: EmbeddingCache, *, model: str) -> None:
        self._embedder = embedder
        self._cache = cache
        self._document_prefix, self._question_prefix = prefixes(model)
        self._cache_problem = ""
        self.counts = EmbeddingCounts()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What did not work and was done without."""
        if not self._cache_problem:
            return ()
        return (f"embedding cache not used: {self._cache_problem}",)

    def documents(self, texts: Sequence[str], *, names: Sequence[str]) -> list[Vector]:
        """Return one unit vector per text of a document.

        Args:
            texts: What to embed.
            names: Names the text in an error, one per text.

        Raises:
            EmbeddingFailed: The model refused a text, or gave vectors of different dimensions.
        """
        return self._embed(texts, names, self._document_prefix)

    def question(self, text: str) -> Vector:
        """Return the unit vector of a question.

        Raises:
            EmbeddingFailed: The model refused it.
        """
        return self._embed([text], ["the question"], self._question_prefix)[0]

    def _embed(self, texts: Sequence[str], names: Sequence[str], prefix: str) -> list[Vector]:
        digest = self._embedder.digest()
        keys = [cache_key(prefix + text, digest) for text in texts]
        known = self._read(keys)
        missing = [place for place, vector in enumerate(known) if vector is None]
        fresh = self._ask([texts[place] for place in missing], [names[place] for place in missing], prefix)
        self._write({keys[place]: vector for place, vector in zip(missing, fresh, strict=True)})
        self.counts.embedded += len(missing)
        self.counts.cached += len(texts) - len(missing)
        made = iter(fresh)
        vectors = [next(made) if vector is None else vector for vector in known]
        sizes = {len(vector) for vector in vectors}
        if len(sizes) > 1:
            raise EmbeddingFailed(
                f"embeddings of one model have {sorted(sizes)} dimensions",
                hint="the model changed behind its digest, or the cache holds another model's vectors: ragbed reset",
            )
        return vectors

    def _ask(self, texts: list[str], names: list[str], prefix: str) -> list[Vector]:
        if not texts:
            return []
        try:
            return [unit(vector) for vector in self._embedder.embed([prefix + text for text in texts])]
        except InputTooLong:  # does not say which one
            return [self._ask_one(text, name, prefix) for text, name in zip(texts, names, strict=True)]

    def _ask_one(self, text: str, name: str, prefix: str) -> Vector:
        try:
            return unit(self._embedder.embed([prefix + text])[0])
        except InputTooLong as error:
            self.counts.split += 1
            return self._in_halves(text, name, prefix, error)

    def _in_halves(self, text: str, name: str, prefix: str, error: InputTooLong) -> Vector:
        if len(text) < _SHORTEST_PART:
            raise EmbeddingFailed(f"{name}: the model refuses even {len(text)} characters of it") from error
        weighted: list[tuple[int, Vector]] = []
        for part in _halves(text):
            try:
                vector = unit(self._embedder.embed([prefix + part])[0])
            except InputTooLong as again:
                vector = self._in_halves(part, name, prefix, again)
            weighted.append((len(part), vector))
        return mean(weighted)

    def _read(self, keys: list[str]) -> list[Vector | None]:
        try:
            return self._cache.get_many(keys)
        except CacheUnavailable as error:
            self._cache_problem = str(error)
            return [None] * len(keys)

    def _write(self, vectors: dict[str, Vector]) -> None:
        if not vectors:
            return
        try:
            self._cache.put_many(vectors)
        except CacheUnavailable as error:
            self._cache_problem = str(error)


def cache_key(text: str, model_digest: str) -> str:
    """Return the key of an embedding: other text, model bytes or parameters give another key.

    Args:
        text: As sent, prefix included.
        model_digest: Of the embedding model; without it a changed model would serve stale vectors.
    """
    digest = hashlib.sha256()
    for part in ("truncate=false;unit", model_digest, text):
        digest.update(part.encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()


def unit(vector: Vector) -> Vector:
    """Return a vector scaled to length 1, in 32-bit precision as caches and stores keep it; zeros stay zeros."""
    length = math.hypot(*vector) or 1.0
    return array("f", [number / length for number in vector]).tolist()


def mean(weighted: Sequence[tuple[int, Vector]]) -> Vector:
    """Return the unit vector that points between vectors, by weight."""
    columns = zip(*([weight * number for number in vector] for weight, vector in weighted), strict=True)
    return unit([sum(column) for column in columns])


def _halves(text: str) -> tuple[str, str]:
    """Split near the middle, at a space where there is one."""
    middle = len(text) // 2
    space = text.rfind(" ", middle // 2, middle)
    cut = space + 1 if space > 0 else middle
    return text[:cut], text[cut:]
