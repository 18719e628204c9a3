"""A real gateway process for the whole folder, and clients of it."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import ollama
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = (sys.executable, "-P", "-s", "-m", "ragbed.gateway")


@contextmanager
def started() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start a gateway on a free port; yield the process and its URL, and leave nothing running."""
    with subprocess.Popen(
        [*COMMAND, "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
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
