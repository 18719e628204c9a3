"""Start and stop the embedded Qdrant as users do: a process, a port, a folder."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

STOP_TIMEOUT_S = 10


def until(true: Callable[[], bool], *, within_s: float = 60) -> bool:
    """Wait for something to come true; say whether it did."""
    deadline = time.monotonic() + within_s
    while not true() and time.monotonic() < deadline:
        time.sleep(0.01)
    return true()


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running server.

    Attributes:
        url: Where it answers.
        line: What it printed when it was ready.
        process: The process, ours to stop.
    """

    url: str
    line: str
    process: subprocess.Popen[str]

    def stop(self) -> int:
        """Ask it to stop and return its exit code."""
        self.process.terminate()
        return self.process.wait(STOP_TIMEOUT_S)

    def kill(self) -> None:
        """Take it away without warning."""
        self.process.kill()
        self.process.wait(STOP_TIMEOUT_S)


def command(data: Path, *more: str) -> list[str]:
    """Return the command that serves a folder on a free port."""
    return [sys.executable, "-P", "-s", "-m", "ragbed.qdrant", "--port", "0", "--data", str(data), *more]


@contextmanager
def serving(data: Path, *more: str) -> Iterator[Server]:
    """Start a server, yield it once it is ready, stop it on every way out."""
    log = data.with_name(f"{data.name}.log")
    with (
        log.open("a") as errors,
        subprocess.Popen(command(data, *more), stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, f"the server ended before it was ready: {log.read_text()}"
            yield Server(url=line.split()[-1], line=line, process=process)
        finally:
            process.terminate()
            process.wait(STOP_TIMEOUT_S)
