"""Calls that hold up an event loop, caught: our servers answer many clients in one thread."""

from __future__ import annotations

import sys
import time
import traceback
from asyncio import _get_running_loop
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

# Python tells of these itself. A loop may well connect a socket or start a child: that does not wait.
_WAITING = frozenset(
    {
        "open",
        "os.remove",
        "os.rename",
        "os.mkdir",
        "os.rmdir",
        "os.system",
        "os.truncate",
        "shutil.copyfile",
        "shutil.copytree",
        "shutil.rmtree",
        "socket.getaddrinfo",
        "sqlite3.connect",
        "urllib.Request",
    }
)
_SOURCES = (".py", ".pyc", ".so")  # a module that is imported when it is first asked for

_watches: list[list[str]] = []


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watches or event not in _WAITING or _get_running_loop() is None:
        return
    if event == "open" and str(arguments[0]).endswith(_SOURCES):
        return
    _keep(f"{event} {arguments[0]!r}")


def _keep(call: str) -> None:
    # Lines are looked up when the note is read: looking them up opens files.
    stack = traceback.StackSummary.extract(
        traceback.walk_stack(sys._getframe(2)), limit=12, lookup_lines=False
    )
    places = "\n".join(f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in stack)
    for watch in _watches:
        watch.append(f"{call}\n{places}")


def _sleep(seconds: float, _wait: Any = time.sleep) -> None:
    if _watches and _get_running_loop() is not None:
        _keep(f"time.sleep {seconds}")
    _wait(seconds)


sys.addaudithook(_note)  # there is no taking it away: it does nothing while nothing is watched


@contextmanager
def blocking_calls() -> Iterator[list[str]]:
    """Yield a list that takes every blocking call made in a thread whose event loop runs, with its place."""
    watch: list[str] = []
    _watches.append(watch)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(time, "sleep", _sleep)
            yield watch
    finally:
        _watches.remove(watch)


@pytest.fixture(autouse=True)
def no_blocking_calls() -> Iterator[None]:
    """Fail a test in which an event loop of this process was held up; on where a folder's conftest imports it."""
    with blocking_calls() as watch:
        yield
    assert watch == [], "\n".join(watch)
