"""Events: numbered, stamped, told to every listener, and the same after their way through JSON."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import jsonschema
import pytest

from ragbed.events import (
    CollectingSink,
    Event,
    EventKind,
    EventStream,
    TestId,
    current_run,
    current_test,
    within_run,
    within_test,
)

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "event.schema.json").read_text(encoding="utf-8"))
TEST = TestId("tests/test_a.py::test_b")


def test_an_event_has_its_place_its_time_and_its_facts() -> None:
    """The sink adds what the emitter need not know."""
    sink, before = CollectingSink(), datetime.now(UTC)
    sink.emit("stage.begun", "index")
    sink.emit("stage.ended", "index", seconds=1.5, status="passed")

    begun, ended = sink.events
    assert (begun.seq, begun.kind, begun.subject, begun.seconds, begun.data) == (
        1,
        "stage.begun",
        "index",
        None,
        {},
    )
    assert (ended.seq, ended.seconds, ended.data) == (2, 1.5, {"status": "passed"})
    assert timedelta(0) <= begun.at - before < timedelta(minutes=1)
    assert sink.of("stage.ended") == [ended]


def test_run_and_test_come_from_the_context() -> None:
    """No caller hands them on, and they end with their block."""
    sink = CollectingSink()

    def emit() -> tuple[str, TestId | None]:
        with within_run("run-1"), within_test(TEST):
            sink.emit("llm.call", "m")
        sink.emit("llm.call", "m")
        return current_run(), current_test()

    left = Context().run(emit)  # this test belongs to a run itself, perhaps

    assert [(event.run, event.test) for event in sink.events] == [("run-1", TEST), ("", None)]
    assert left == ("", None)


def test_a_streams_own_run_counts_in_every_thread() -> None:
    """A new thread has no context of its own; one that is given a copy knows the test too."""
    events: list[Event] = []
    stream = EventStream(events.append, run="run-2")
    with within_test(TEST), ThreadPoolExecutor(1) as pool:
        pool.submit(stream.emit, "llm.call", "bare").result()
        pool.submit(copy_context().run, stream.emit, "llm.call", "copied").result()

    assert [(event.subject, event.run, event.test) for event in events] == [
        ("bare", "run-2", None),
        ("copied", "run-2", TEST),
    ]


def test_threads_share_one_numbering() -> None:
    """Listeners get events in the order of their numbers."""
    sink = CollectingSink()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: sink.emit("llm.call", str(n)), range(400)))

    assert [event.seq for event in sink.events] == list(range(1, 401))
    assert {event.subject for event in sink.events} == {str(n) for n in range(400)}


def test_a_listener_that_fails_harms_neither_work_nor_other_listeners() -> None:
    """Evidence does not break what it tells of."""
    events: list[Event] = []

    def broken(event: Event) -> None:
        raise OSError(event.subject)

    EventStream(broken, events.append).emit("run.begun", "smoke")

    assert [event.kind for event in events] == ["run.begun"]


@pytest.mark.parametrize("kind", get_args(EventKind))
def test_every_kind_survives_json_and_fits_the_schema(kind: EventKind) -> None:
    """What is written can be read, by us and by others."""
    sink = CollectingSink()
    with within_run("run-1"), within_test(TEST):
        sink.emit(kind, "subject", seconds=0.25, number=1, names=["a", None], nested={"deep": True})
    value = json.loads(json.dumps(sink.events[0].to_json()))

    jsonschema.validate(value, SCHEMA, format_checker=jsonschema.FormatChecker())
    assert Event.from_json(value) == sink.events[0]


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "ragbed.event/2"},
        {"kind": "stage.thought"},
        {"at": "yesterday"},
        {"seq": None},
        {"data": 3},
    ],
    ids=["other schema", "unknown kind", "no time", "no number", "no object"],
)
def test_what_is_not_an_event_is_refused(change: dict[str, object]) -> None:
    """A stream may have been written by a later ragbed, or torn."""
    sink = CollectingSink()
    sink.emit("run.begun", "smoke")

    with pytest.raises(ValueError):  # noqa: PT011 - its text is the reader's
        Event.from_json({**sink.events[0].to_json(), **change})
    with pytest.raises(ValueError, match="not an event"):
        Event.from_json([])
