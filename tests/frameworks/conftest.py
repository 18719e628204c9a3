"""One embedded Qdrant for the folder's tests; they run in an environment of their own, see scripts/test-frameworks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

if find_spec("schemathesis") is None:  # the package's own environment has none of the frameworks
    collect_ignore_glob = ["test_*.py"]

STOP_TIMEOUT_S = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running server.

    Attributes:
        url: Where it answers.
        pid: Its process.
    """

    url: str
    pid: int

    def memory_mb(self) -> float:
        """Return how much memory it holds of its own.

        Pages of the collections' files, which the engine maps, are not counted: they are the system's to take back.
        """
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.findall(r"^RssAnon:\s+(\d+) kB", status, re.MULTILINE)[0]) / 1024


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An embedded Qdrant, started by the Python that has ragbed."""
    python = os.environ.get("RAGBED_PYTHON", sys.executable)
    data = tmp_path_factory.mktemp("qdrant") / "data"
    command = [python, "-P", "-s", "-m", "ragbed.qdrant", "--port", "0", "--data", str(data)]
    log = data.with_name("qdrant.log")
    with (
        log.open("w") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, f"the server ended before it was ready: {log.read_text()}"
            yield Server(url=line.split()[-1], pid=process.pid)
        finally:
            process.terminate()
            process.wait(STOP_TIMEOUT_S)


@pytest.fixture(scope="session")
def url(server: Server) -> str:
    """Where the server answers."""
    return server.url
