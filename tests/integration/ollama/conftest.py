"""What tests of a private Ollama share: an environment where ragbed finds the real program and tiny test models."""

from __future__ import annotations

import os
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from tiny_models.models import LOCK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ragbed_command import RagbedCommand


@pytest.fixture(scope="session")
def ollama_environ(
    real_ollama_program: Path, tiny_models: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """The variables of somebody who has Ollama on PATH, the tiny test models in its folder, and wants them."""
    folder = tmp_path_factory.mktemp("path")
    (folder / "ollama").symlink_to(real_ollama_program)
    return {
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "OLLAMA_MODELS": str(tiny_models),
        "RAGBED_MODELS_LOCK": str(LOCK),
        "MODEL_PROVIDER": "ollama",
    }


@pytest.fixture
def ragbed_ollama(make_ragbed: Callable[..., RagbedCommand], ollama_environ: dict[str, str]) -> RagbedCommand:
    """The command line in that environment, with a state folder of its own."""
    return make_ragbed(**ollama_environ)


@pytest.fixture
def old_server() -> Iterator[HTTPServer]:
    """A server that says it is Ollama 0.1.0."""
    with HTTPServer(("127.0.0.1", 0), _OldVersion) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class _OldVersion(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Tell the version, whatever is asked."""
        content = b'{"version":"0.1.0"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_HEAD = do_GET  # noqa: N815 - the name that http.server calls

    def log_message(self, *_: object) -> None:
        """Say nothing."""
