"""What a test leaves behind: threads, children, sockets, files in the working folder, content of shared stores."""

from __future__ import annotations

import os
import threading
import warnings
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import psutil
import pytest

from ragbed.pytest_plugin.recording import RECORDING, uses_ragbed

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from ragbed.stores import Census, IsolatedStore

Answer = Literal["warn", "fail"]

_SHARED = frozenset({"ragbed_stack", "ragbed_environ"})
_OURS = frozenset({".ragbed", ".pytest_cache", "__pycache__", ".coverage", ".mypy_cache", ".ruff_cache"})
_TASKS, _HANDLES = Path("/proc/self/task"), Path("/proc/self/fd")
_MOST = 10

Things = dict[object, str]
"""What there is at a moment, in words by what tells it from others."""


class LeakWarning(UserWarning):
    """A test left something behind."""


class LeakCheck:
    """Compares what there is before a test's body, after it, and after its fixtures have ended.

    What the body began and nothing ended is the test's; what a fixture of the session began is not.

    Args:
        answer: Whether a leak warns or fails the test.
    """

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._began: Things = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        """Note what the body began."""
        stores = _shared_stores(item)
        before, contents = _things(), _census(stores)
        try:
            yield
        finally:
            self._began = {key: name for key, name in _things().items() if key not in before}
            for service, earlier in contents.items():
                for line in earlier.difference(stores[service].census()):
                    self._began[service, line] = f"in the shared {service}: {line}"

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, None, None]:
        """Tell what is still there when the test's fixtures have ended."""
        yield
        began, self._began = self._began, {}
        there = _things() if began else {}
        left = [name for key, name in began.items() if key in there or isinstance(key, tuple)]
        if not left:
            return
        recording = item.config.stash.get(RECORDING, None)
        if recording and recording.run:
            recording.run.sink.emit("store.leak", item.nodeid, left=left[:_MOST])
        told = f"{item.nodeid} left behind: {'; '.join(left[:_MOST])}"
        if self._answer == "fail":
            pytest.fail(told, pytrace=False)
        warnings.warn(LeakWarning(told), stacklevel=1)


def _things() -> Things:
    """Return threads, children, sockets and files of the working folder; a fraction of a millisecond on Linux."""
    things: Things = {
        thread: f"thread {thread.name}" for thread in threading.enumerate() if thread.is_alive()
    }
    things |= {f"child {pid}": f"child process {pid}{_program(pid)}" for pid in _children()}
    things |= {socket: f"open {socket}" for socket in _sockets()}
    with suppress(OSError):  # the test has deleted the folder
        here = Path.cwd()
        things |= {here / name: f"file {name}" for name in os.listdir(here) if name not in _OURS}  # noqa: PTH208 - names
    return things


def _children() -> list[int]:
    if not _TASKS.is_dir():
        return [child.pid for child in psutil.Process().children()]
    pids: list[int] = []
    for task in os.listdir(_TASKS):  # noqa: PTH208 - names
        with suppress(OSError):  # a thread that has ended
            pids += map(int, (_TASKS / task / "children").read_text(encoding="ascii").split())
    return pids


def _program(pid: int) -> str:
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        return f" ({process.name()}, {process.status()})"
    return ""


def _sockets() -> list[str]:
    if not _HANDLES.is_dir():
        return [f"socket {one.fd}" for one in psutil.Process().net_connections()]
    sockets: list[str] = []
    for handle in os.listdir(_HANDLES):  # noqa: PTH208 - names
        with suppress(OSError):  # the folder's own handle
            target = os.readlink(_HANDLES / handle)  # noqa: PTH115 - a word, not a path
            if target.startswith("socket:"):
                sockets.append(target)
    return sockets


def _shared_stores(item: pytest.Item) -> Mapping[str, IsolatedStore]:
    """Return the stores that a test shares with others; none where workers of pytest-xdist change them meanwhile."""
    if hasattr(item.config, "workerinput") or not uses_ragbed(item):
        return {}
    values: Mapping[str, object] = getattr(item, "funcargs", {})
    if not _SHARED & values.keys():
        return {}
    from ragbed.stores import stores_of  # noqa: PLC0415 - only tests that share a stack pay for it

    request = item._request  # type: ignore[attr-defined] # noqa: SLF001 - as pytest's own plugins do
    stack, settings = request.getfixturevalue("ragbed_stack"), request.getfixturevalue("ragbed_settings")
    return {store.service: store for store in stores_of(stack, settings) if store.service != "ollama"}


def _census(stores: Mapping[str, IsolatedStore]) -> dict[str, Census]:
    return {service: store.census() for service, store in stores.items()}
