"""Events as lines of progress on stderr: the one renderer of what goes on, where it has no table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragbed.cli.output import note, ready_line

if TYPE_CHECKING:
    from ragbed.events import Event
    from ragbed.stack import Endpoint

_MARKS = {"passed": "ok", "failed": "FAILED"}


_WORDS = {"waiting": "another ingest is under way: waiting for it", "reading": "reading the documents"}
_SHORT_WAY = 100
"""A line for so many steps of a short way; a long one has ten lines."""


class ProgressLines:
    """Makes a line of an event that tells how far something is.

    Args:
        quiet: Leave out where a way begins and where it ends, which the line of its stage says.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._latest: tuple[str, int] | None = None

    def of(self, event: Event) -> str | None:
        """Return the line; None for an event that has none, or comes too soon after another one."""
        if event.kind == "model.loading":
            return loading_line(event)
        if event.kind != "stage.progress":
            return None
        return str(event.data["line"]) if "line" in event.data else self._way(event)

    def _way(self, event: Event) -> str | None:
        done, total = _count(event, "done"), _count(event, "total")
        step = done // max(_SHORT_WAY, total // 10)
        if self._latest == (event.subject, step):
            return None
        self._latest = event.subject, step
        if not total:
            return None if self._quiet and event.subject == "reading" else _WORDS.get(event.subject)
        way = f"{done} of {total} {event.data.get('unit', '')}".rstrip()
        if self._quiet:
            return way if step and done < total else None
        return f"{event.subject}: {way}"


class EventLines:
    """Prints a line for each event that has one.

    Args:
        indent: Stands before the lines that are told on the way of a stage.
    """

    def __init__(self, indent: str = "") -> None:
        self._indent = indent
        self._progress = ProgressLines(quiet=bool(indent))

    def __call__(self, event: Event) -> None:
        """Print the line of an event."""
        line = self._line(event)
        if line is not None:
            note(line)

    def _line(self, event: Event) -> str | None:
        progress = self._progress.of(event)
        if progress is not None:
            return f"{self._indent}{progress}"
        if event.kind == "stage.ended" and event.data["status"] in _MARKS:
            mark = _MARKS[str(event.data["status"])]
            return f"{event.subject:<11} {mark:<6} {event.seconds or 0:6.2f} s  {event.data['detail']}"
        if event.kind == "service.ready":
            return (self._indent or "  ") + ready_line(endpoint_of(event), event.seconds or 0)
        if event.kind == "store.snapshot":
            copying = event.data["doing"] == "copying"
            return f"copying {event.subject}" if copying else f"putting {event.subject} back"
        if event.kind == "service.died":
            return f"ragbed: {event.subject} died; starting it again on its data"
        return None


def loading_line(event: Event) -> str:
    """Return the line of a model that is being loaded: `loading llama3.1:8b, 4.9 GB: 12 s`."""
    from ragbed.stack.sizes import shown_bytes, shown_time

    size_bytes = _count(event, "size_bytes")
    size = f", {shown_bytes(size_bytes)}" if size_bytes else ""
    return f"loading {event.subject}{size}: {shown_time(event.seconds or 0)}"


def _count(event: Event, name: str) -> int:
    value = event.data.get(name, 0)
    return int(value) if isinstance(value, int | float) else 0


def endpoint_of(event: Event) -> Endpoint:
    """Return where the service answers that an event tells of; its address has no password."""
    from ragbed.stack import Endpoint

    return Endpoint.from_json(dict(event.data))
