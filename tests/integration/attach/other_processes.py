"""Server processes of others: started, awaited, ended with the test."""

from __future__ import annotations

import signal
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ragbed.guard import NotThere, WrongService
from ragbed.stack.registry import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_READY_S = 60.0  # a machine may be busy


@contextmanager
def running(
    command: Sequence[str], log: Path, *, user: int | None = None, ending: signal.Signals = signal.SIGTERM
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server for as long as the block lasts; its output goes to a file."""
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out, user=user) as process:
        try:
            yield process
        finally:
            process.send_signal(ending)


def await_pulse(service: str, url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return once the server speaks its protocol, whatever it then says of a password."""
    deadline = time.monotonic() + _READY_S
    while True:
        try:
            kind_of(service).client(url).pulse()
        except NotThere:
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(log.read_text(errors="replace")) from None
            time.sleep(0.02)
        except WrongService:
            return
        else:
            return
