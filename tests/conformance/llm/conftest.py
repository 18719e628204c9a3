"""The servers that the suite judges: our mock, and a real Ollama where there is one, on the same two models."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ragbed.contracts.llm.suite import Server
from tiny_models.models import LOCK

if TYPE_CHECKING:
    from collections.abc import Iterator

MOCK = (sys.executable, "-P", "-s", "-m", "ragbed.gateway", "--port", "0")


@pytest.fixture(scope="session")
def mock_url() -> Iterator[str]:
    """The URL of a mock that serves the models of the tests' lock."""
    environ = {**os.environ, "RAGBED_MODELS_LOCK": str(LOCK)}
    with subprocess.Popen(MOCK, stdout=subprocess.PIPE, text=True, env=environ) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()


@pytest.fixture(scope="session", params=["mock", "real"])
def server(request: pytest.FixtureRequest) -> Server:
    """Each server in turn; without a real Ollama the cases are judged on the mock alone."""
    fixture = {"mock": "mock_url", "real": "real_ollama"}[request.param]
    return Server(kind=request.param, url=request.getfixturevalue(fixture))
