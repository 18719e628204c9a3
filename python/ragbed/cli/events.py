"""Events as lines of progress on stderr: the one renderer of what goes on, where it has no table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragbed.cli.output import note, ready_line

if TYPE_CHECKING:
    from ragbed.events import Event
    from ragbed.stack import Endpoint

_MARKS = {"passed": "ok", "failed": "FAILED"}


class EventLines:
    """Prints a line for each event that has one.

    Args:
        indent: Stands before the lines that are told on the way of a stage.
    """

    def __init__(self, indent: str = "") -> None:
        self._indent = indent

    def __call__(self, event: Event) -> None:
        """Print the line of an event."""
        line = self._line(event)
        if line is not None:
            note(line)

    def _line(self, event: Event) -> str | None:
        if event.kind in {"stage.progress", "model.loading"}:
            return f"{self._indent}{event.data['line']}"
        if event.kind == "stage.ended" and event.data["status"] in _MARKS:
            mark = _MARKS[str(event.data["status"])]
            return f"{event.subject:<11} {mark:<6} {event.seconds or 0:6.2f} s  {event.data['detail']}"
        if event.kind == "service.ready":
            return (self._indent or "  ") + ready_line(endpoint_of(event), event.seconds or 0)
        if event.kind == "service.died":
            return f"ragbed: {event.subject} died; starting it again on its data"
        return None


def endpoint_of(event: Event) -> Endpoint:
    """Return where the service answers that an event tells of; its address has no password."""
    from ragbed.stack import Endpoint

    return Endpoint.from_json(dict(event.data))
