"""Processes by identity, not by number: a pid that was given out again is another process."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


_MOST_PIDS = 2**31 - 1


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """One process among all that ever bore its pid.

    Attributes:
        pid: Process id.
        started: When it started, in a form that only this process on this boot has.
    """

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> ProcessIdentity:
        """Return the identity of a process that runs now; one that has gone gets an empty start."""
        return cls(pid=pid, started=_started(pid))

    @classmethod
    def from_json(cls, value: dict[str, Any] | None) -> ProcessIdentity | None:
        """Return the identity that `to_json` described; None stays None.

        Raises:
            KeyError: A field is missing.
            ValueError: It is not the identity of a process.
        """
        if value is None:
            return None
        pid, started = value["pid"], value["started"]
        # 0 and negative numbers mean whole groups to `kill`.
        if type(pid) is not int or not 0 < pid <= _MOST_PIDS or not isinstance(started, str):
            raise ValueError(f"{pid!r} is not a process id")
        return cls(pid=pid, started=started)

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return {"pid": self.pid, "started": self.started}

    def is_alive(self) -> bool:
        """Tell whether this very process still runs; a zombie does not."""
        return bool(self.started) and _started(self.pid) == self.started


def _started(pid: int) -> str:
    """Return the start mark of a running process, or an empty string.

    On Linux the kernel's start tick with the boot's id: unlike a time of day, neither moves with the clock.
    """
    if Path("/proc/self/stat").exists():
        try:
            fields = (
                Path(f"/proc/{pid}/stat")
                .read_text(encoding="utf-8", errors="replace")
                .rpartition(")")[2]
                .split()
            )
        except OSError:
            return ""
        return "" if fields[0] in {"Z", "X"} else f"{_boot_id()}:{fields[19]}"
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return ""
        return f"{process.create_time():.6f}"
    except psutil.Error:
        return ""


@cache
def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


@cache
def ancestry(pid: int) -> frozenset[int]:
    """Return a process and its ancestors, as they were when first asked for."""
    process = psutil.Process(pid)
    return frozenset({pid, *(parent.pid for parent in process.parents())})


_children: dict[int, subprocess.Popen[bytes]] = {}


def remember_child(process: subprocess.Popen[bytes]) -> None:
    """Keep a process that we started until `stop` ends it, so that it leaves no zombie and no warning."""
    _children[process.pid] = process


def endings(processes: Mapping[str, ProcessIdentity], *, within_s: float = 0.5) -> dict[str, str]:
    """Return how processes that we started have ended by themselves, in words, by name; of others nothing is known.

    Args:
        processes: By name.
        within_s: How long to wait for those that go on: connections break a moment before their process has ended.
    """
    deadline = time.monotonic() + within_s
    ended = {}
    for name, process in processes.items():
        child = _children.get(process.pid)
        if child is None:
            continue
        with contextlib.suppress(subprocess.TimeoutExpired):
            ended[name] = ending(child.wait(max(0.0, deadline - time.monotonic())))
    return ended


def ending(code: int) -> str:
    """Return an exit code in words."""
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"


def stop(
    identity: ProcessIdentity,
    *,
    gentle: signal.Signals = signal.SIGTERM,
    timeout_s: float = 5.0,
    alone: bool = False,
) -> None:
    """End a process and everything it started; returns when all have gone.

    Args:
        identity: The process; nothing happens when it has gone, even if its pid lives on in another.
        gentle: The signal that asks it to end.
        timeout_s: How long it may take before it is killed.
        alone: Leave what it started.
    """
    if not identity.is_alive():
        _forget_child(identity.pid)
        return
    with contextlib.suppress(psutil.NoSuchProcess):
        parent = psutil.Process(identity.pid)
        spared = {1, *ancestry(os.getpid())}
        children = [] if alone else parent.children(recursive=True)
        family = [one for one in (parent, *children) if one.pid not in spared]
        if parent not in family:
            return
        parent.send_signal(gentle)
        parent.resume()  # one that was stopped hears the signal only when it runs again
        for process in _left_after(family, timeout_s):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        _left_after(family, timeout_s)
    _forget_child(identity.pid)


def resume(identity: ProcessIdentity) -> None:
    """Let a process that was stopped run on, and everything it started; nothing happens when it has gone."""
    if not identity.is_alive():
        return
    with contextlib.suppress(psutil.NoSuchProcess):
        parent = psutil.Process(identity.pid)
        for process in (parent, *parent.children(recursive=True)):
            process.resume()


def _left_after(family: Sequence[psutil.Process], timeout_s: float) -> list[psutil.Process]:
    """Wait until all have ended, and return those that have not when the time is over.

    A zombie has ended. Its parent may never look (a container whose first process is not init): waiting for
    its number to go would take the whole time.
    """
    if not hasattr(os, "pidfd_open"):
        return psutil.wait_procs(family, timeout=timeout_s)[1]
    deadline = time.monotonic() + timeout_s
    return [process for process in family if not _ended_by(process.pid, deadline)]


def _ended_by(pid: int, deadline: float) -> bool:
    try:
        handle = os.pidfd_open(pid)
    except OSError:  # there is no such process any more
        return True
    try:
        poller = select.poll()
        poller.register(handle, select.POLLIN)
        return bool(poller.poll(max(0.0, deadline - time.monotonic()) * 1000))
    finally:
        os.close(handle)


def _forget_child(pid: int) -> None:
    child = _children.pop(pid, None)
    if child is not None:
        child.poll()  # takes the zombie away, where waiting has not done so


def find_inside(folder: Path) -> list[ProcessIdentity]:
    """Return processes whose working folder lies in `folder`. It proves nothing: a shell may stand there too."""
    folder = folder.resolve()  # the kernel tells the working folder without links
    processes = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if Path(process.cwd()).is_relative_to(folder):
                processes.append(ProcessIdentity.of(process.pid))
    return processes
