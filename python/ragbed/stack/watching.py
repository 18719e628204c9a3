"""Wake up when a log grows or a process ends, so that readiness waits for events and never sleeps."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import sys
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_IN_MODIFY = 0x2
_SLOWEST_S = 0.25  # a probe is repeated at least this often: a service may turn ready without a word

Wait = Callable[[float], None]


@contextmanager
def woken_by(log: Path, pid: int) -> Iterator[Wait]:
    """Yield a function that waits up to so many seconds for the log to grow or the process to end.

    Args:
        log: A file that exists.
        pid: A process of this user.
    """
    watch = _kqueue if sys.platform == "darwin" else _inotify
    with watch(log, pid) as wait:
        yield lambda timeout_s: wait(min(timeout_s, _SLOWEST_S))


@contextmanager
def _inotify(log: Path, pid: int) -> Iterator[Wait]:
    """Linux: inotify on the file, a pidfd for the process.

    Source: inotify(7), pidfd_open(2).
    """
    libc = ctypes.CDLL(None, use_errno=True)
    with contextlib.ExitStack() as stack:
        poller = select.poll()
        notify = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if notify >= 0:
            stack.callback(os.close, notify)
            libc.inotify_add_watch(notify, os.fsencode(log), _IN_MODIFY)
            poller.register(notify, select.POLLIN)
        with contextlib.suppress(OSError):  # the process has gone, or the kernel is older than 5.3
            process = os.pidfd_open(pid)
            stack.callback(os.close, process)
            poller.register(process, select.POLLIN)

        def wait(timeout_s: float) -> None:
            for handle, _ in poller.poll(timeout_s * 1000):
                if handle == notify:
                    os.read(notify, 65536)

        yield wait


@contextmanager
def _kqueue(log: Path, pid: int) -> Iterator[Wait]:
    """Run on macOS: kqueue for both.

    Source: kqueue(2), filters EVFILT_VNODE and EVFILT_PROC.
    """
    file = os.open(log, os.O_RDONLY)
    queue = select.kqueue()  # type: ignore[attr-defined,unused-ignore] # not on Linux
    try:
        events = [
            select.kevent(  # type: ignore[attr-defined,unused-ignore] # not on Linux
                file,
                select.KQ_FILTER_VNODE,  # type: ignore[attr-defined,unused-ignore] # not on Linux
                select.KQ_EV_ADD | select.KQ_EV_CLEAR,  # type: ignore[attr-defined,unused-ignore] # not on Linux
                select.KQ_NOTE_WRITE | select.KQ_NOTE_EXTEND,  # type: ignore[attr-defined,unused-ignore] # not on Linux
            ),
            select.kevent(  # type: ignore[attr-defined,unused-ignore] # not on Linux
                pid,
                select.KQ_FILTER_PROC,  # type: ignore[attr-defined,unused-ignore] # not on Linux
                select.KQ_EV_ADD,  # type: ignore[attr-defined,unused-ignore] # not on Linux
                select.KQ_NOTE_EXIT,  # type: ignore[attr-defined,unused-ignore] # not on Linux
            ),
        ]
        for event in events:
            with contextlib.suppress(OSError):  # the process has gone: the caller's own check will see it
                queue.control([event], 0)
        yield lambda timeout_s: (queue.control(None, 2, timeout_s), None)[1]
    finally:
        queue.close()
        os.close(file)
