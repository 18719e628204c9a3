"""Embeddings without a model: words and their character n-grams, hashed into signed buckets.

Texts that share words, or forms of words, come out close; meaning beyond that is not seen. The hash is
BLAKE2b, so vectors do not depend on `PYTHONHASHSEED`, the process or the machine.

Source: feature hashing, Weinberger et al., ICML 2009; subword n-grams, Bojanowski et al., TACL 2017.
"""

from __future__ import annotations

import math
from collections import Counter
from functools import lru_cache
from hashlib import blake2b

from ragbed.errors import UsageError
from ragbed.gateway.mock.words import STOP_WORDS, split_words, stem

_STOP_WORD_WEIGHT = 0.1
_NGRAM_SHARE = 0.6  # length of a word's n-grams, together, beside its own length of 1
_NGRAM_SIZES = (3, 4, 5)
_LONGEST_WORD = 64  # past this, a "word" is a key or a hash; its n-grams would only cost time
_DECIMALS = 7  # what a 32-bit float holds; also hides how libm rounds

Vector = tuple[float, ...]


def embed_text(text: str, dimensions: int) -> Vector:
    """Return the vector of a text.

    Args:
        text: Any text; one without letters or digits is taken as one word, a blank one gives a fixed vector.
        dimensions: Components, at least 1.

    Returns:
        Components rounded to seven decimals; the Euclidean length is 1 within 1e-5.

    Raises:
        UsageError: dimensions is below 1.
    """
    if dimensions < 1:
        raise UsageError(f"an embedding has at least 1 dimension, not {dimensions}")
    sums = [0.0] * dimensions
    for word, count in Counter(split_words(text) or [text.strip()]).items():
        weight = (1.0 + math.log(count)) * (_STOP_WORD_WEIGHT if word in STOP_WORDS else 1.0)
        for bucket, value in _word_features(word, dimensions):
            sums[bucket] += weight * value
    return unit(sums)


def unit(components: list[float]) -> Vector:
    """Return the components scaled to length 1; a fixed vector of equal parts where all are zero."""
    length = math.sqrt(math.fsum(value * value for value in components))
    if length < 10**-_DECIMALS:
        return (round(1 / math.sqrt(len(components)), _DECIMALS),) * len(components)
    return tuple([round(value / length, _DECIMALS) for value in components])


@lru_cache(maxsize=32768)
def _word_features(word: str, dimensions: int) -> tuple[tuple[int, float], ...]:
    """Return bucket and signed weight of the word's stem and of its n-grams; none for the empty word."""
    if not word:
        return ()
    padded = f"<{word[:_LONGEST_WORD]}>"
    ngrams = [padded[at : at + size] for size in _NGRAM_SIZES for at in range(len(padded) - size + 1)]
    ngram_weight = _NGRAM_SHARE / math.sqrt(len(ngrams)) if ngrams else 0.0
    own = _feature(f"w:{stem(word)}", 1.0, dimensions)
    return (own, *(_feature(f"g:{ngram}", ngram_weight, dimensions) for ngram in ngrams))


def _feature(name: str, weight: float, dimensions: int) -> tuple[int, float]:
    number = int.from_bytes(blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
    return (number >> 1) % dimensions, weight if number & 1 else -weight
