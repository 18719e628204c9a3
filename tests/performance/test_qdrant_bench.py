"""The bench's own code runs; its figures are for people to judge, not for a test."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "qdrant"))  # where the bench is run from


@pytest.mark.performance
def test_bench_compares_every_target() -> None:
    """One small round gives the same figures for each."""
    from side_by_side import compare
    from targets import targets

    with targets() as found:
        figures = compare(found, points=200, rounds=1, calls=5)

    assert list(figures)[:2] == ["embedded, over HTTP", "local mode, in memory"]
    assert len({tuple(each) for each in figures.values()}) == 1
