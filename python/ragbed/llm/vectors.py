"""What counts as an embedding."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ragbed.errors import EmbeddingFailed

if TYPE_CHECKING:
    from collections.abc import Sequence


def check_vectors(vectors: Sequence[Sequence[float]], *, wanted: int, model: str) -> None:
    """Refuse anything but one finite vector per text, all of one dimension.

    Raises:
        EmbeddingFailed: Names what is wrong.
    """
    if len(vectors) != wanted:
        raise EmbeddingFailed(f"{model} gave {len(vectors)} vectors for {wanted} texts")
    dimensions = {len(vector) for vector in vectors}
    if len(dimensions) > 1 or 0 in dimensions:
        raise EmbeddingFailed(f"{model} gave vectors of {sorted(dimensions)} dimensions")
    for number, vector in enumerate(vectors):
        if not all(map(math.isfinite, vector)):
            raise EmbeddingFailed(
                f"{model} gave a vector with numbers that are not finite for text {number + 1} of {wanted}"
            )
