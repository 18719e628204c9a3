"""Events as lines of progress on stderr: the one renderer of what goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragbed.cli.output import note

if TYPE_CHECKING:
    from ragbed.events import Event

_INDENT = " " * 11
_MARKS = {"passed": "ok", "failed": "FAILED"}


def show_event(event: Event) -> None:
    """Print the line of an event, where it has one.

    Args:
        event: A stage's end is a line with its result; a stage's progress is its `line`, indented below a name.
    """
    if event.kind == "stage.progress":
        note(f"{_INDENT}{event.data['line']}")
    elif event.kind == "stage.ended" and event.data["status"] in _MARKS:
        mark = _MARKS[str(event.data["status"])]
        note(f"{event.subject:<11} {mark:<6} {event.seconds or 0:6.2f} s  {event.data['detail']}")
