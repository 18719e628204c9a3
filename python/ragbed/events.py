"""Events: the one way to tell progress and to leave evidence; their JSON form is `docs/event.schema.json`.

A room that works for long takes an `EventSink` and emits to it. The command line renders events, `runs/` appends them
to a file, tests collect them: each is a listener of an `EventStream`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, NewType, Protocol, TypeAlias, get_args

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger(__name__)

SCHEMA = "ragbed.event/1"

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
TestId = NewType("TestId", str)
"""A test's id, as pytest writes it."""

EventKind = Literal[
    "run.begun",
    "run.ended",
    "service.starting",
    "service.ready",
    "service.skipped",
    "service.died",
    "stage.begun",
    "stage.progress",
    "stage.ended",
    "test.ended",
    "model.loading",
    "llm.call",
    "budget.reserved",
    "budget.settled",
    "fault.applied",
    "fault.undone",
    "policy.decided",
    "store.snapshot",
    "store.leak",
    "artifact.written",
]
_KINDS = frozenset(get_args(EventKind))

_run: ContextVar[str] = ContextVar("ragbed_run", default="")
_test: ContextVar[TestId | None] = ContextVar("ragbed_test", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened.

    Attributes:
        run: Id of the run; empty outside of one.
        seq: Its place in the stream, from 1 on.
        at: When, UTC.
        kind: What.
        subject: To what: a service, a stage, a test, a model.
        test: The test within which it happened; None outside of one.
        seconds: How long it took; None where it took no time.
        data: What else is known, as JSON values.
    """

    run: str
    seq: int
    at: datetime
    kind: EventKind
    subject: str
    test: TestId | None = None
    seconds: float | None = None
    data: Mapping[str, Json] = field(default_factory=dict)

    def to_json(self) -> dict[str, Json]:
        """Return the event as JSON values, with its schema."""
        return {
            "schema": SCHEMA,
            "run": self.run,
            "seq": self.seq,
            "at": self.at.isoformat(),
            "kind": self.kind,
            "subject": self.subject,
            "test": self.test,
            "seconds": self.seconds,
            "data": self.data,
        }

    @classmethod
    def from_json(cls, value: Any) -> Event:
        """Return the event that `to_json` described.

        Raises:
            ValueError: It is not an event of this schema.
        """
        try:
            if value["schema"] != SCHEMA or value["kind"] not in _KINDS:
                raise ValueError(f"not an event of {SCHEMA}: {value['schema']} {value['kind']}")
            return cls(
                run=str(value["run"]),
                seq=int(value["seq"]),
                at=datetime.fromisoformat(value["at"]),
                kind=value["kind"],
                subject=str(value["subject"]),
                test=None if value["test"] is None else TestId(str(value["test"])),
                seconds=None if value["seconds"] is None else float(value["seconds"]),
                data=dict(value["data"]),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not an event of {SCHEMA}: {error!r}") from error


class EventSink(Protocol):
    """Takes events."""

    def emit(self, kind: EventKind, subject: str, /, *, seconds: float | None = None, **data: Json) -> None:
        """Take an event. It never raises, and never blocks for long.

        Args:
            kind: What happened.
            subject: To what: a service, a stage, a test, a model.
            seconds: How long it took; None where it took no time.
            data: What else is known.
        """


Listener = Callable[[Event], None]


class EventStream:
    """A sink that numbers events, stamps them with time, run and test, and passes each to its listeners in order.

    Several threads may emit. A listener that raises is logged and does not stop the work that emitted.

    Args:
        listeners: Called with each event, one event at a time.
        run: The run's id; empty takes the one that the context names when an event is emitted.
        change: Makes of each event what listeners are told; None tells it as it is.
    """

    def __init__(
        self, *listeners: Listener, run: str = "", change: Callable[[Event], Event] | None = None
    ) -> None:
        self._listeners = listeners
        self._run = run
        self._change = change
        self._seq = 0
        self._lock = threading.RLock()  # a signal handler may emit while its thread does

    def emit(self, kind: EventKind, subject: str, /, *, seconds: float | None = None, **data: Json) -> None:
        """Take an event; see `EventSink`."""
        with self._lock:
            self._seq += 1
            event = Event(
                run=self._run or current_run(),
                seq=self._seq,
                at=datetime.now(UTC),
                kind=kind,
                subject=subject,
                test=current_test(),
                seconds=seconds,
                data=data,
            )
            self._tell(event)

    def listen(self, listener: Listener) -> None:
        """Call another listener with each event from now on."""
        with self._lock:
            self._listeners = (*self._listeners, listener)

    def _tell(self, event: Event) -> None:
        told = self._change(event) if self._change else event
        for listener in self._listeners:
            try:
                listener(told)
            except Exception as error:
                logger.debug("a listener failed on %s %s: %r", event.kind, event.subject, error)


class CollectingSink(EventStream):
    """A sink that keeps its events, for tests.

    Attributes:
        events: All events so far, in order.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        super().__init__(self.events.append)

    def of(self, kind: EventKind) -> list[Event]:
        """Return the events of one kind, in order."""
        return [event for event in self.events if event.kind == kind]


SILENT = EventStream()
"""A sink without listeners."""


def current_run() -> str:
    """Return the id of the run that this code belongs to; empty outside of one."""
    return _run.get()


def current_test() -> TestId | None:
    """Return the test that this code belongs to; None outside of one."""
    return _test.get()


@contextmanager
def within_run(run: str) -> Iterator[None]:
    """Let the body belong to a run. A thread that it starts does so where it runs in a copy of the context."""
    token = _run.set(run)
    try:
        yield
    finally:
        _run.reset(token)


@contextmanager
def within_test(test: TestId | None) -> Iterator[None]:
    """Let the body belong to a test, or to none; threads as in `within_run`."""
    token = _test.set(test)
    try:
        yield
    finally:
        _test.reset(token)
