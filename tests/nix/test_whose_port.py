"""`whose-port`, which every start and every probe of the Nix modules asks: a plain script, so no Nix is needed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from nix_command import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCRIPT = ROOT / "nix" / "modules" / "whose-port.sh"
LISTEN = """
import socket, sys, time
held = socket.create_server(("127.0.0.1", 0))
print(held.getsockname()[1], flush=True)
time.sleep(60)
"""
PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]], env={'PATH': ''})"

pytestmark = pytest.mark.skipif(shutil.which("lsof") is None, reason="there is no lsof on PATH")


class Listener:
    """A process that listens on a port of its own."""

    def __init__(self, *words: str, root: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", *words],
            env={"PATH": os.environ["PATH"], "DEVENV_ROOT": root},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def end(self) -> None:
        """End it, and what it has started."""
        os.killpg(self.process.pid, 15)
        self.process.wait(timeout=20)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def theirs() -> Iterator[Listener]:
    """A server of another project."""
    server = Listener(LISTEN, root="/home/them/app")
    yield server
    server.end()


def whose_port(*words: str, root: str = "/home/me/app") -> subprocess.CompletedProcess[str]:
    """Ask as a process of a project does."""
    return subprocess.run(
        ["bash", SCRIPT, *words],
        env={"PATH": os.environ["PATH"], "DEVENV_ROOT": root},
        capture_output=True,
        text=True,
        check=False,
    )


def free(port: int, *, root: str = "/home/me/app") -> subprocess.CompletedProcess[str]:
    """Ask whether Qdrant can have a port."""
    return whose_port("free", "qdrant", "127.0.0.1", str(port), "services.qdrant.httpPort", root=root)


def ours(port: int, pid: int | None, folder: Path) -> subprocess.CompletedProcess[str]:
    """Ask whether the server with the pid that was written listens on a port."""
    file = folder / "pid"
    if pid is not None:
        file.write_text(f"{pid}\n")
    return whose_port("ours", "qdrant", "127.0.0.1", str(port), str(file))


def a_free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        port: int = held.getsockname()[1]
    return port


def test_a_free_port_is_free() -> None:
    """Nothing is said."""
    done = free(a_free_port())

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_taken_port_is_told_with_the_project_that_has_it_and_the_way_out(theirs: Listener) -> None:
    """One line: the port, the process, its project, and both options that move."""
    done = free(theirs.port)

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"qdrant: port {theirs.port} is taken by python")
    assert f"(pid {theirs.process.pid}) of the project /home/them/app; stop it, or move" in done.stderr
    assert "services.ragbed.portOffset (this one: services.qdrant.httpPort)" in done.stderr


def test_a_server_that_an_earlier_start_left_is_told_as_such(theirs: Listener) -> None:
    """It is this project's, and still has to end first."""
    done = free(theirs.port, root="/home/them/app")

    assert done.returncode == 1
    assert "of this project, left from an earlier start" in done.stderr


def test_a_server_without_its_environment_is_told_by_what_started_it() -> None:
    """Redis overwrites its variables: those of its parent say whose it is."""
    server = Listener(PARENT, LISTEN, root="/home/them/app")
    try:
        done = free(server.port)
    finally:
        server.end()

    assert "of the project /home/them/app" in done.stderr


def test_the_process_that_was_started_and_listens_is_ours(theirs: Listener, tmp_path: Path) -> None:
    """The pid is that of the server itself."""
    assert ours(theirs.port, theirs.process.pid, tmp_path).returncode == 0


def test_a_child_of_the_process_that_was_started_is_ours(tmp_path: Path) -> None:
    """`uv run` and its like stay, and start what listens."""
    server = Listener(PARENT, LISTEN, root="/home/me/app")
    try:
        done = ours(server.port, server.process.pid, tmp_path)
    finally:
        server.end()

    assert (done.returncode, done.stderr) == (0, "")


def test_a_server_that_another_process_is_does_not_make_ours_ready(theirs: Listener, tmp_path: Path) -> None:
    """The process that was started lives, and somebody else's answers."""
    idle = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        done = ours(theirs.port, idle.pid, tmp_path)
    finally:
        idle.kill()
        idle.wait()

    assert done.returncode == 1
    assert f"port {theirs.port} is held by python" in done.stderr
    assert f"of the project /home/them/app, and not by this project's qdrant (pid {idle.pid})" in done.stderr


@pytest.mark.parametrize("pid", [None, 2**22 + 1], ids=["no pid", "a pid that is gone"])
def test_a_server_that_did_not_start_is_not_ours(theirs: Listener, pid: int | None, tmp_path: Path) -> None:
    """Whatever answers on its port."""
    done = ours(theirs.port, pid, tmp_path)

    assert (done.returncode, done.stderr) == (1, "qdrant: it has not started, or has ended\n")


def test_a_server_that_does_not_listen_yet_is_told_as_such(tmp_path: Path) -> None:
    """It is alive, and the port is free."""
    port = a_free_port()

    done = ours(port, os.getpid(), tmp_path)

    assert (done.returncode, done.stderr) == (1, f"qdrant: it does not listen on port {port} yet\n")
