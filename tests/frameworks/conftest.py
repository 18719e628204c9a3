"""One embedded Qdrant for the folder's tests; they run in an environment of their own, see scripts/test-frameworks."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

if find_spec("schemathesis") is None:  # the package's own environment has none of the frameworks
    collect_ignore_glob = ["test_*.py"]

STOP_TIMEOUT_S = 10


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where an embedded Qdrant answers, started by the Python that has ragbed."""
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
            yield line.split()[-1]
        finally:
            process.terminate()
            process.wait(STOP_TIMEOUT_S)
