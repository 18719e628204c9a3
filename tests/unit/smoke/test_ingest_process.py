"""What the writing half of the index stage says on the way."""

from __future__ import annotations

import json

import pytest

from ragbed.cli.events import EventLines
from ragbed.events import CollectingSink, EventStream
from ragbed.pipeline.progress import IngestProgress
from ragbed.smoke.ingest_process import _pass_on


@pytest.mark.parametrize(
    ("total", "told"),
    [(80, []), (373, [100, 200, 300]), (5000, list(range(500, 5000, 500)))],
    ids=["few", "hundreds", "thousands"],
)
def test_a_long_writing_tells_how_far_it_is(
    total: int, told: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    """Every hundred chunks of some hundreds, ten times of thousands, and not at all of a few."""
    progress = IngestProgress(EventStream(EventLines(indent=" ")))

    for files in range(1, 300):
        progress.read(files)
    for done in [*range(0, total, 50), total]:
        progress.indexed(done, total, batch=50)
    progress.finishing()

    assert capsys.readouterr().err.splitlines() == [f" {done} of {total} chunks" for done in told]


def test_a_huge_ingest_leaves_few_events() -> None:
    """Each is kept with the run."""
    sink = CollectingSink()
    progress = IngestProgress(sink)

    for done in [*range(0, 100_000, 50), 100_000]:
        progress.indexed(done, 100_000, batch=50)

    assert [event.data["done"] for event in sink.events] == list(range(0, 110_000, 10_000))


def test_events_and_the_log_of_the_process_become_events_of_the_run() -> None:
    """A line that is not an event is one of its log."""
    told, sink = CollectingSink(), CollectingSink()
    told.emit("model.loading", "m", seconds=2.5, size_bytes=7)

    _pass_on(json.dumps(told.events[0].to_json()), sink)
    _pass_on("2026-01-02 INFO ragbed.pipeline: ingested", sink)

    loading, line = sink.events
    assert (loading.kind, loading.subject, loading.seconds) == ("model.loading", "m", 2.5)
    assert loading.data == {"size_bytes": 7}
    assert (line.kind, line.subject) == ("stage.progress", "index")
    assert line.data == {"line": "2026-01-02 INFO ragbed.pipeline: ingested"}
