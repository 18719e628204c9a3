"""A few rounds of what `scripts/soak-qdrant` does at length."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kill_rounds import Ledger, run, settle

if TYPE_CHECKING:
    from pathlib import Path


def test_nothing_acknowledged_is_lost_by_kills_under_writers(tmp_path: Path) -> None:
    """Three kills at random moments, four writers, indexing in between."""
    points, wrong = run(tmp_path / "data", rounds=3, writers=4, seed=3, longest_s=0.8)

    assert wrong == []
    assert points > 0


def test_a_lost_point_would_be_noticed() -> None:
    """So would a wrong value, and a deletion undone; a request cut off may be either way."""
    ledger = Ledger(points={1: 10, 2: 20, 3: None, 4: 40}, pending={4: 41})

    wrong = settle(ledger, {2: 21, 3: 30, 4: 41})

    assert [line.split()[1] for line in wrong] == ["1", "2", "3"]
