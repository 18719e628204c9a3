"""The vector that `average_vector` recommendations search for.

Source: Qdrant's documented formula, `avg(positive) + (avg(positive) - avg(negative))`; multi vectors, which have no
mean, are put together row by row, the negative ones with their sign turned.
"""

from __future__ import annotations

from array import array
from itertools import chain
from typing import TYPE_CHECKING, cast

import qdrant_edge as engine

from ragbed.qdrant.errors import WrongInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qdrant_edge import NamedVector

    from ragbed.qdrant.translate.schema import VectorKind


def recommended(
    positives: Sequence[NamedVector], negatives: Sequence[NamedVector], kind: VectorKind
) -> NamedVector:
    """Return the vector to search for; raise WrongInput without positive examples.

    Args:
        positives: Vectors to be near to, all of `kind`.
        negatives: Vectors to be far from; may be empty.
        kind: What the vectors are.
    """
    if not positives:
        raise WrongInput("Positive vectors should not be empty with `average` strategy")
    if kind.multi:
        rows = [cast("list[list[float]]", vector) for vector in (*positives, *negatives)]
        turned = [[[-x for x in row] for row in vector] for vector in rows[len(positives) :]]
        return list(chain.from_iterable(rows[: len(positives)] + turned))
    if kind.sparse:
        return _sparse([_weights(vector) for vector in positives], [_weights(vector) for vector in negatives])
    plus = _mean(cast("Sequence[list[float]]", positives))
    if not negatives:
        return plus
    minus = _mean(cast("Sequence[list[float]]", negatives))
    return [p + p - n for p, n in zip(plus, minus, strict=True)]


def _mean(rows: Sequence[list[float]]) -> list[float]:
    kept = [array("f", row) for row in rows]  # an example counts as it would if it were stored
    return [sum(column) / len(rows) for column in zip(*kept, strict=True)]


def _weights(vector: NamedVector) -> dict[int, float]:
    sparse = cast("engine.SparseVector", vector)
    return dict(zip(sparse.indices, sparse.values, strict=True))


def _sparse(positives: list[dict[int, float]], negatives: list[dict[int, float]]) -> engine.SparseVector:
    plus, minus = _sparse_mean(positives), _sparse_mean(negatives)
    indices = sorted(plus.keys() | minus.keys())
    values = [2 * plus.get(i, 0.0) - minus.get(i, 0.0) if minus else plus[i] for i in indices]
    return engine.SparseVector(indices, values)


def _sparse_mean(vectors: list[dict[int, float]]) -> dict[int, float]:
    indices = set(chain.from_iterable(vectors))
    return {i: sum(vector.get(i, 0.0) for vector in vectors) / len(vectors) for i in indices}
