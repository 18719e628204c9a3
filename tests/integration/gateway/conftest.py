"""A real gateway process for the whole folder, and clients of it."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import ollama
import pytest

from blocking_calls import no_blocking_calls

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["no_blocking_calls"]

COMMAND = (sys.executable, "-P", "-s", "-m", "ragbed.gateway")


@contextmanager
def started(folder: Path | None = None) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start a gateway on a free port; yield the process and its URL, and leave nothing running."""
    with subprocess.Popen(
        [*COMMAND, "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder
    ) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().split()[-1]
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def gateway_url() -> Iterator[str]:
    """The URL of a gateway that all tests of this worker share."""
    with started() as (_, url):
        yield url


@pytest.fixture
def gateway_process() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A gateway of the test's own, to be stopped by it, and its URL."""
    with started() as running:
        yield running


@pytest.fixture
def http(gateway_url: str) -> Iterator[httpx.Client]:
    """A plain HTTP client, on a gateway without history and rules."""
    with httpx.Client(base_url=gateway_url, timeout=30) as client:
        client.post("/ragbed/reset", json={"rules": True}).raise_for_status()
        yield client


@pytest.fixture
def client(http: httpx.Client) -> Iterator[ollama.Client]:
    """The official client, on the same gateway as `http`."""
    with ollama.Client(str(http.base_url), timeout=30) as official:
        yield official


DECLARED = """
[mock.models]
bge-m3 = { dimensions = 1024 }
plain = { capabilities = ["completion"] }
thinker = { capabilities = ["completion", "tools", "thinking", "vision", "insert"], context = 4096 }
"hf.co/Me/Small-GGUF:Q4_K_M" = {}
"""


@pytest.fixture(scope="module")
def declaring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of a gateway that was started in a project which declares models."""
    project = tmp_path_factory.mktemp("project")
    (project / "ragbed.toml").write_text(DECLARED, encoding="utf-8")
    with started(project) as (_, url), httpx.Client(base_url=url, timeout=30) as client:
        yield client
