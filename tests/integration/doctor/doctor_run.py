"""One run of the doctor on a machine with planted faults."""

from __future__ import annotations

import json
import os
import select
import socket
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragbed.pins import load_stack_pins
from ragbed.stack import SERVICES
from ragbed_command import RagbedCommand

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CHECKOUT = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a run came to.

    Attributes:
        code: Exit code.
        out: Standard output.
        report: The report; empty where none was asked for.
    """

    code: int
    out: str
    report: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, topic: str) -> dict[str, Any]:
        """Return the one finding on a topic."""
        (found,) = [one for one in self.report["findings"] if one["topic"] == topic]
        return dict(found)

    def state(self, *topics: str) -> list[str]:
        """Return the states of topics."""
        return [self[topic]["state"] for topic in topics]


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine with a project, a state folder and a folder of planted programs that comes first on PATH.

    Attributes:
        root: Everything is below it.
        environ: Variables of every run.
    """

    root: Path
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def command(self) -> RagbedCommand:
        """The command line here; default ports are looked at only where a pin file of our own moves them."""
        path = f"{self.root / 'bin'}:{os.environ['PATH']}"
        (self.root / "home").mkdir(exist_ok=True)
        own = {"PATH": path, "HOME": str(self.root / "home"), **self.environ}
        return RagbedCommand(state=self.root / "state", folder=self.root, environ=own)

    def hide_servers(self) -> None:
        """Let no server be found on PATH, where a Nix shell has every one."""
        self.environ["PATH"] = str(Path(sys.executable).parent)

    def plant(self, name: str, script: str) -> Path:
        """Put a shell script on PATH."""
        program = self.root / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        program.chmod(0o755)
        return program

    def plant_hanging(self, name: str) -> Path:
        """Put a program on PATH that never answers; returns the file that will hold the pids of it and of its child."""
        pids = self.root / f"{name}.pids"
        self.plant(name, f"sleep 600 & echo $$ $! > {pids}.part; mv {pids}.part {pids}; wait")
        return pids

    def plant_wheel(self, name: str, version: str) -> None:
        """Make Python believe that a package is installed in another version."""
        site = self.root / "site"
        info = site / f"{name}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        self.environ["PYTHONPATH"] = str(site)

    def plant_pins(self, **ports: int) -> Path:
        """Bring a project with the checkout's pin file, other default ports, and a look at those."""
        project = self.root / "project"
        project.mkdir(exist_ok=True)
        text = (CHECKOUT / "stack.toml").read_text(encoding="utf-8")
        for service, pins in load_stack_pins(CHECKOUT / "stack.toml").services.items():
            text = text.replace(f"port = {pins.port}\n", f"port = {ports.get(service, 1)}\n", 1)
        (project / "stack.toml").write_text(text, encoding="utf-8")
        self.environ.update(RAGBED_ROOT=str(project), RAGBED_STACK__DEFAULT_PORTS="true")
        return project / "stack.toml"

    def run(self, *words: str, **environ: str) -> Seen:
        """Run the doctor and read its report."""
        done = self.command.run("doctor", "--json", *words, **environ)
        assert done.stdout, done.stderr
        return Seen(code=done.returncode, out=done.stdout, report=json.loads(done.stdout))

    def shown(self, *words: str, **environ: str) -> Seen:
        """Run the doctor as a person would read it through a pipe."""
        done = self.command.run("doctor", *words, **environ)
        return Seen(code=done.returncode, out=done.stdout)


class Silence(dict[str, int]):
    """A port per service that accepts connections and never answers."""

    def __init__(self, listeners: Mapping[str, socket.socket]) -> None:
        super().__init__({name: one.getsockname()[1] for name, one in listeners.items()})
        self._listeners = listeners

    def asked(self) -> list[str]:
        """Return the services to whose port somebody has connected."""
        return [name for name, one in self._listeners.items() if select.select([one], [], [], 0)[0]]


@contextmanager
def silent_ports() -> Iterator[Silence]:
    """Yield the ports, open until the end."""
    with ExitStack() as stack:
        yield Silence(
            {name: stack.enter_context(socket.create_server(("127.0.0.1", 0))) for name in SERVICES}
        )


def tree(folder: Path) -> dict[str, tuple[int, int]]:
    """Return size and time of change of everything below a folder."""
    return {
        str(path.relative_to(folder)): (path.lstat().st_size, path.lstat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
    }
