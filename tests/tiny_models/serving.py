"""A real Ollama on a models folder, for as long as a `with` block lasts."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from ragbed.guard import NotThere
from ragbed.models import LiveServer
from ragbed.stack.registry import kind_of
from ragbed.stack.watching import woken_by

if TYPE_CHECKING:
    from collections.abc import Iterator

_WITH_PARENT = Path(__file__).with_name("with_parent.py")


class OllamaFailed(Exception):
    """The program did not start to serve."""


@contextmanager
def serving(program: Path, models: Path | str, home: Path) -> Iterator[str]:
    """Start an Ollama, yield its URL once it answers, and end it with its runners on every way out.

    On Linux it ends even when we are killed.

    Args:
        program: The `ollama` program.
        models: Its models folder; a relative one is taken from `home`.
        home: A folder of its own: its key and its log go there.

    Raises:
        OllamaFailed: It ended at its start; carries the end of its log.
    """
    home.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    log = home / "ollama.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, _WITH_PARENT, str(os.getpid()), program.absolute(), "serve"],
            cwd=home,
            env=_variables(port, models, home),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(process, url, log)
        yield url
    finally:
        _end(process)


def wait_until_unloaded(url: str, model: str) -> None:
    """Return once an Ollama that was asked to drop a model has: it answers before that.

    Raises:
        TimeoutError: It has not within half a minute.
    """
    deadline, patience = time.monotonic() + 30, Event()
    while model in LiveServer(url).loaded():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{model} is still loaded")
        patience.wait(0.02)


def _variables(port: int, models: Path | str, home: Path) -> dict[str, str]:
    silent = {key: value for key, value in os.environ.items() if not key.startswith("OLLAMA_")}
    return {
        **silent,
        "HOME": str(home),
        "OLLAMA_HOST": f"127.0.0.1:{port}",
        "OLLAMA_MODELS": str(models),
        "OLLAMA_NOPRUNE": "1",
        "OLLAMA_NO_CLOUD": "1",
        "OLLAMA_KEEP_ALIVE": "-1",
        "OLLAMA_MAX_LOADED_MODELS": "2",
        "OLLAMA_CONTEXT_LENGTH": "8192",
    }


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    store = kind_of("ollama").client(url)
    with woken_by(log, process.pid) as wait:
        while process.poll() is None:
            with contextlib.suppress(NotThere):
                store.pulse()
                return
            wait(1)
    raise OllamaFailed(f"it ended with {process.returncode}: {log.read_text(errors='replace')[-400:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it gently, then whatever of its session is left: a runner outlives a server that was killed."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
