"""The gateway as a process: one ready line, loopback only, a quick and clean end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from pathlib import Path

Running = tuple[subprocess.Popen[str], str]
COMMAND = (sys.executable, "-P", "-s", "-m", "ragbed.gateway")


def run(*flags: str) -> subprocess.CompletedProcess[str]:
    """Run a gateway that is expected to end by itself."""
    return subprocess.run([*COMMAND, *flags], capture_output=True, text=True, timeout=60, check=False)


def test_ready_line_names_a_port_that_answers(gateway_process: Running) -> None:
    """Once the line is out, the first request is answered."""
    _, url = gateway_process

    assert url.startswith("http://127.0.0.1:")
    assert httpx.get(f"{url}/api/version", timeout=30).status_code == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_signal_ends_it_cleanly(gateway_process: Running, number: signal.Signals) -> None:
    """It exits with 0, and has printed nothing but its ready line."""
    process, _ = gateway_process
    process.send_signal(number)
    out, err = process.communicate(timeout=30)

    assert (process.returncode, out, err) == (0, "", "")


def test_open_stream_does_not_hold_it_up(gateway_process: Running) -> None:
    """A client that reads no further is cut off; waiting for it would last for ever."""
    process, url = gateway_process
    rules = {"rules": [{"pattern": "^long$", "answer": "word " * 200_000}]}
    httpx.put(f"{url}/ragbed/rules", json=rules, timeout=30).raise_for_status()
    body = {"model": "llama3.1:8b", "prompt": "long"}

    with httpx.stream("POST", f"{url}/api/generate", json=body, timeout=30) as response:
        next(response.iter_lines())
        process.terminate()
        _, err = process.communicate(timeout=30)

    assert (process.returncode, err) == (0, "")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--port", "0", "--host", "0.0.0.0"), "refused to listen on '0.0.0.0'"),  # noqa: S104
        (("--port", "70000"), "port 70000 is outside 0 to 65535"),
    ],
    ids=["host", "port"],
)
def test_wrong_flags_are_refused_in_one_line(flags: tuple[str, ...], message: str) -> None:
    """A user's mistake gives exit code 2, a line that names it, a hint, and no traceback."""
    done = run(*flags)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"ragbed.gateway: {message}")
    assert len(done.stderr.splitlines()) == 2


def test_taken_port_is_named() -> None:
    """A second server on a port says which port is taken."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        done = run("--port", str(other.getsockname()[1]))

    assert done.returncode == 2
    assert "Address already in use" in done.stderr


def test_server_imports_nothing_heavy() -> None:
    """What makes a start slow stays out of the process."""
    code = (
        "import sys, ragbed.gateway.__main__;"
        "print(*sorted({'pydantic', 'ollama', 'httpx', 'numpy', 'qdrant_client'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout == "\n"


def test_command_line_serves_the_same() -> None:
    """`ragbed llm serve` is the same server, and refuses the same."""
    command = [sys.executable, "-m", "ragbed", "llm", "serve", "--port", "70000"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 2
    assert "port 70000 is outside 0 to 65535" in done.stderr


def test_lock_that_is_wrong_keeps_it_from_starting(tmp_path: Path) -> None:
    """It says which file, and does not serve other models instead."""
    lock = tmp_path / "models.lock.json"
    environ = {**os.environ, "RAGBED_MODELS_LOCK": str(lock)}

    done = subprocess.run(
        [*COMMAND, "--port", "0"], capture_output=True, text=True, timeout=60, check=False, env=environ
    )

    assert (done.returncode, done.stdout) == (2, "")
    assert f"cannot read the model lock {lock}" in done.stderr
