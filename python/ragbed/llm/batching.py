"""Texts put into requests of a bounded size, so that the time-out of one request fits every corpus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragbed.tokens import estimate_tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def batches(texts: Sequence[str], *, tokens: int, count: int) -> Iterator[Sequence[str]]:
    """Cut a list of texts into stretches that one request may hold; a text over the bound goes alone.

    Args:
        texts: In order, which is kept.
        tokens: Estimated tokens of one stretch, at least 1.
        count: Texts of one stretch, at least 1.
    """
    start = held = 0
    for place, text in enumerate(texts):
        size = estimate_tokens(text)
        if place > start and (held + size > tokens or place - start >= count):
            yield texts[start:place]
            start, held = place, 0
        held += size
    if start < len(texts):
        yield texts[start:]
