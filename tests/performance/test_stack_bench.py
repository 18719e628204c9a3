"""The bench's own code runs; its figures are for people to judge, not for a test."""

from __future__ import annotations

import pytest
from stack_bench import measure, table


@pytest.mark.performance
def test_bench_reports_every_figure_of_a_measurement() -> None:
    """One round gives median, least and most of each figure, in JSON and as a row of the table."""
    report = measure(1, ("servers-ready",))

    assert set(report["seconds"]) == {
        "servers ready",
        *(f"servers ready: {name}" for name in ("postgres", "redis", "qdrant", "ollama")),
    }
    assert all(f"| {name} |" in table(report) for name in report["seconds"])
