"""An embedded server for the suite, started as users start it."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STOP_TIMEOUT_S = 10


@contextmanager
def embedded(data: Path) -> Iterator[str]:
    """Start an embedded server on a free port, yield its address, stop it on every way out."""
    command = [sys.executable, "-P", "-s", "-m", "ragbed.qdrant", "--port", "0", "--data", str(data)]
    log = data.with_name(f"{data.name}.log")
    with (
        log.open("w") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, f"the server ended before it was ready: {log.read_text()}"
            yield line.split()[-1]
        finally:
            process.terminate()
            process.wait(STOP_TIMEOUT_S)
