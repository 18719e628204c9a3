"""What the writing half of the index stage says on the way."""

from __future__ import annotations

import pytest

from ragbed.pipeline import IngestProgress
from ragbed.smoke.ingest_process import WritingProgress


@pytest.mark.parametrize(
    ("total", "told"),
    [(80, []), (373, [100, 200, 300]), (5000, list(range(500, 5000, 500)))],
    ids=["few", "hundreds", "thousands"],
)
def test_a_long_writing_tells_how_far_it_is(
    total: int, told: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    """Every hundred chunks of some hundreds, ten times of thousands, and not at all of a few."""
    progress = WritingProgress()

    for done in [*range(0, total, 50), total]:
        progress(IngestProgress(stage="indexing", done=done, total=total))

    assert capsys.readouterr().err.splitlines() == [f"{done} of {total} chunks" for done in told]
