"""`devenv up` in a lab, and the terminals beside it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager, suppress
from queue import Empty, Queue
from threading import Thread
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from nix_command import ROOT

from ragbed.pins import load_stack_pins

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from devenv_lab import Lab

# Postgres refuses root, and names its first user after whoever starts it.
REAL = os.environ.get("RAGBED_PROCESS_COMPOSE", "")
"""The real process-compose; empty where the stand-in runs, which says what it does in lines of its own."""

AS_NOBODY = ["unshare", "--user", "--map-user=65534", "--map-group=65534", "--"] if os.geteuid() == 0 else []


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on, below those that the kernel gives away before they are used."""
    with ExitStack() as held:
        ports: list[int] = []
        for port in range(20_000 + os.getpid() % 500 * 20, 32_000):
            with suppress(OSError):
                held.enter_context(socket.create_server(("127.0.0.1", port)))
                ports.append(port)
            if len(ports) == count:
                return ports
    raise AssertionError(f"fewer than {count} ports are free")


def other_ports() -> dict[int, int]:
    """Return a free port for each that `stack.toml` names."""
    pins = load_stack_pins(ROOT / "stack.toml")
    old = [*(pin.port for pin in pins.services.values()), pins.app.port]
    return dict(zip(old, free_ports(len(old)), strict=True))


class Up:
    """`devenv up` in a shell that plain `nix develop` enters."""

    def __init__(self, lab: Lab, models: Path | None = None) -> None:
        self.lab = lab
        self.environ = {"RAGBED_BLOBS": str(models)} if models else {}
        self.said: list[str] = []
        self.process = lab.popen(
            *AS_NOBODY, "nix", "develop", "-c", "devenv", "up", PC_TUI_ENABLED="false", **self.environ
        )
        self._lines: Queue[str] = Queue()
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            for line in output:
                self._lines.put(line)

    def wait_for(self, *texts: str, timeout_s: float) -> None:
        """Wait until lines have held all of some texts."""
        end = monotonic() + timeout_s
        missing = {text for text in texts if not any(text in line for line in self.said)}
        while missing and monotonic() < end:
            try:
                self.said.append(self._lines.get(timeout=1.0))
            except Empty:
                if self.process.poll() is not None:
                    break
                continue
            missing = {text for text in missing if text not in self.said[-1]}
        assert not missing, f"not said: {missing}\n{self.tail()}"

    def wait_until_ready(self, *names: str, timeout_s: float) -> None:
        """Wait until the process manager counts processes as ready."""
        if not REAL:
            self.wait_for(*(f"process-compose: {name}: ready" for name in names), timeout_s=timeout_s)
            return
        end = monotonic() + timeout_s
        states: dict[str, str] = {}
        while monotonic() < end and any(states.get(name) != "Ready" for name in names):
            sleep(1.0)
            states = {name: one["is_ready"] for name, one in self.states().items()}
        self._take_lines()
        assert {name: states.get(name) for name in names} == dict.fromkeys(names, "Ready"), self.tail()

    def wait_until_ended(self, name: str, *, timeout_s: float) -> None:
        """Wait until a process that ends by itself has ended well."""
        if not REAL:
            self.wait_for(f"process-compose: {name}: ended with 0", timeout_s=timeout_s)
            return
        end = monotonic() + timeout_s
        while monotonic() < end and self.states().get(name, {}).get("status") != "Completed":
            sleep(1.0)
        self._take_lines()
        assert self.states()[name]["exit_code"] == 0, self.tail()

    def states(self) -> dict[str, dict[str, Any]]:
        """Return what the real process-compose says of each process; nothing while it does not answer."""
        socket_path = self.lab.project / ".devenv" / "run" / "pc.sock"
        words = [REAL, "--use-uds", "--unix-socket", str(socket_path), "process", "list", "-o", "json"]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=30)
        return {one["name"]: one for one in json.loads(done.stdout)} if done.returncode == 0 else {}

    def _take_lines(self) -> None:
        with suppress(Empty):
            while True:
                self.said.append(self._lines.get_nowait())

    def tail(self) -> str:
        """Return the last lines that were said."""
        return "".join(self.said[-80:])

    def end(self) -> None:
        """End it as a terminal does, and wait until everything has ended."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            if not REAL:
                self.wait_for("process-compose: all have ended", timeout_s=60)
        self.process.wait(timeout=30)
        self._reader.join(timeout=30)

    def shell(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command in a shell of another terminal."""
        return self.lab.run(*AS_NOBODY, "nix", "develop", "-c", *words, **self.environ)

    def elsewhere(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run ragbed in a terminal that knows nothing of the shell."""
        return self.lab.run(sys.executable, "-m", "ragbed", *words, RAGBED_ROOT=str(self.lab.project))


@contextmanager
def started(lab: Lab, models: Path | None = None) -> Iterator[Up]:
    """Start everything and end it on every way out."""
    up = Up(lab, models)
    try:
        yield up
    finally:
        up.end()
