"""BM25 as sparse vectors: we weigh terms within a chunk, the engine weighs them across the collection (IDF)."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

from ragbed.pipeline.terms import terms

if TYPE_CHECKING:
    from ragbed.pipeline.ports import SparseVector

K1 = 1.2
"""How soon repeating a term stops to count."""

B = 0.5
"""How much long chunks are marked down, 0 to 1; chunks within one budget differ little in length."""

AVERAGE_TERMS = 90
"""Terms of an average chunk. Fixed, so that a chunk's weights do not depend on the rest of the corpus."""


def encode_chunk(text: str) -> SparseVector:
    """Return the weight of each term of a chunk, without its IDF.

    Args:
        text: As embedded, title and headings included.

    Returns:
        Weights in (0, K1 + 1] by term id; empty for a text without terms.

    Source: BM25, Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009.
    """
    counts = Counter(terms(text))
    length = 1 - B + B * counts.total() / AVERAGE_TERMS
    vector: SparseVector = {}
    for term, count in counts.items():
        # Two terms of one id add up, rather than one hiding the other.
        vector[term_id(term)] = vector.get(term_id(term), 0.0) + count * (K1 + 1) / (count + K1 * length)
    return vector


def encode_question(text: str) -> SparseVector:
    """Return weight 1 for each distinct term of a question; empty for a question without terms."""
    return dict.fromkeys((term_id(term) for term in terms(text)), 1.0)


@lru_cache(maxsize=50_000)
def term_id(term: str) -> int:
    """Return the id of a term: an unsigned 32-bit hash, the same in every process."""
    return int.from_bytes(blake2b(term.encode("utf-8", "surrogatepass"), digest_size=4).digest(), "big")
