"""One embedded Qdrant and one mock LLM for the folder's tests; their environment is made by scripts/test-frameworks."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

if find_spec("schemathesis") is None:  # the package's own environment has none of the frameworks
    collect_ignore_glob = ["test_*.py"]

STOP_TIMEOUT_S = 10

THINKS = {"capabilities": ["completion", "tools", "thinking"]}
MODELS = {
    "llama3.1": {"capabilities": ["completion", "tools", "vision", "embedding"], "dimensions": 384},
    "gpt-oss:20b": THINKS,
    "deepseek-r1:1.5b": THINKS,
}
"""The models that the frameworks' tests ask for, declared as in `ragbed.toml`."""

RULES = [
    {
        "pattern": "weather today in Boston",
        "tool_calls": [{"name": "get_current_weather", "arguments": {"location": "Boston"}}],
    },
    {
        "pattern": "a JSON with 'setup' and 'punchline' keys",
        "answer": json.dumps({"setup": "Why?", "punchline": "Because."}),
    },
    {"pattern": "^Explain why that might be", "answer": "A forecast said so."},
]
"""What langchain-ollama's tests want of a model's wit, scripted as docs/mock-llm.md says."""


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


@contextmanager
def started(module: str, log: Path, *flags: str, **variables: str) -> Iterator[Server]:
    """Start a server of ragbed's, by the Python that has it, and stop it on every way out."""
    python = os.environ.get("RAGBED_PYTHON", sys.executable)
    command = [python, "-P", "-s", "-m", module, "--port", "0", *flags]
    with (
        log.open("w") as errors,
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=log.parent,
            env={**os.environ, **variables},
        ) as process,
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, f"{module} ended before it was ready: {log.read_text()}"
            yield Server(url=line.split()[-1], pid=process.pid)
        finally:
            process.terminate()
            process.wait(STOP_TIMEOUT_S)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An embedded Qdrant."""
    folder = tmp_path_factory.mktemp("qdrant")
    with started("ragbed.qdrant", folder / "qdrant.log", "--data", str(folder / "data")) as running:
        yield running


@pytest.fixture(scope="session")
def llm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a mock LLM answers that has the models which the frameworks' tests ask for."""
    log = tmp_path_factory.mktemp("llm") / "llm.log"
    with started("ragbed.gateway", log, RAGBED_MOCK__MODELS=json.dumps(MODELS)) as running:
        httpx.put(f"{running.url}/ragbed/rules", json={"rules": RULES}, trust_env=False).raise_for_status()
        yield running.url


@pytest.fixture(scope="session")
def url(server: Server) -> str:
    """Where the server answers."""
    return server.url
