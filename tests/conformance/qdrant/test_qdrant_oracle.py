"""Generated filters and queries against brute force: what passes, in which order, with which score, and how many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from qdrant_client import models
from qdrant_conformance.oracle import FILTERS, POINTS, cosine, passing

from ragbed.contracts.vector_store.worlds import IDS, LIBRARY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qdrant_client import QdrantClient

EXAMPLES = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
VECTORS = st.lists(st.integers(-9, 9).map(float), min_size=4, max_size=4).filter(any)


def leaves(condition: Any) -> Iterator[str]:
    """Yield what a filter's conditions are, however deep, as JSON."""
    if not isinstance(condition, models.Filter):
        yield condition.model_dump_json()
        return
    least = condition.min_should.conditions if condition.min_should else []
    for one in (*(condition.must or []), *(condition.should or []), *(condition.must_not or []), *least):
        yield from leaves(one)


def judged(found: models.Filter, *, substitute: bool) -> None:
    """Leave out a filter that a server of 1.19.0 gets wrong: it finds what the same condition demands and forbids."""
    held = list(leaves(found))
    assume(substitute or len(held) == len(set(held)))


def scores(name: str, query: list[float], ids: list[Any]) -> dict[Any, float]:
    """Return each point's score: cosine for `dense`, the product for `flat`."""
    vectors = {point_id: POINTS[point_id].vector[name] for point_id in ids}
    if name == "dense":
        return {point_id: cosine(query, vector) for point_id, vector in vectors.items()}
    return {
        point_id: sum(a * b for a, b in zip(query, vector, strict=True))
        for point_id, vector in vectors.items()
    }


@given(found=FILTERS)
@EXAMPLES
def test_filter_passes_what_brute_force_passes(
    client: QdrantClient, found: models.Filter, *, substitute: bool
) -> None:
    """Listed in order of id, and counted."""
    judged(found, substitute=substitute)
    listed, _ = client.scroll(LIBRARY, scroll_filter=found, limit=100, with_payload=False)

    assert [point.id for point in listed] == passing(found)
    assert client.count(LIBRARY, count_filter=found).count == len(listed)


@given(query=VECTORS, found=FILTERS, limit=st.integers(1, 12))
@EXAMPLES
def test_filtered_search_ranks_as_brute_force(
    client: QdrantClient, query: list[float], found: models.Filter, limit: int, *, substitute: bool
) -> None:
    """The best scores among what passes, best first, each the true one."""
    judged(found, substitute=substitute)
    truth = scores("dense", query, passing(found))

    points = client.query_points(LIBRARY, query=query, using="dense", query_filter=found, limit=limit).points

    assert [point.score for point in points] == pytest.approx(
        sorted(truth.values(), reverse=True)[:limit], abs=1e-5
    )
    assert [point.score for point in points] == pytest.approx([truth[point.id] for point in points], abs=1e-5)


@given(query=VECTORS, threshold=st.integers(-50, 150).map(float))
@EXAMPLES
def test_threshold_keeps_what_scores_more(client: QdrantClient, query: list[float], threshold: float) -> None:
    """By dot product; an equal score is left out."""
    truth = scores("flat", query[:2], IDS)

    points = client.query_points(
        LIBRARY, query=query[:2], using="flat", score_threshold=threshold, limit=10
    ).points

    assert {point.id for point in points} == {
        point_id for point_id, score in truth.items() if score > threshold
    }
