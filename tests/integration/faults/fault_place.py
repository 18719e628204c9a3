"""A state folder of its own, the ragbed command in it, and what must not be left of it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from ragbed.settings import all_settings
from ragbed.stack import SERVICES
from ragbed.stack.leases import Leases
from ragbed.stack.services.unprivileged import outside_folder
from ragbed.state import StateFolder
from shared_cache import start_with_cache

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ragbed.stack.lease import Lease

_SPOKEN = {name for setting in all_settings().values() for name in setting.env} | {"APP_ENV", "RAGBED_ROOT"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended.

    Attributes:
        code: Exit code; negative is a signal.
        out: What it wrote to stdout.
        err: What it wrote to stderr, progress and all.
    """

    code: int
    out: str
    err: str

    @property
    def error(self) -> list[str]:
        """The lines of its error: the message first, the hint last; progress is left out."""
        lines = self.err.splitlines()
        first = next(
            (i for i, line in enumerate(lines) if line.startswith("ragbed: ") and "starting" not in line), 0
        )
        return lines[first:]


@dataclass(frozen=True, slots=True)
class Place:
    """One state folder and how commands run in it.

    Attributes:
        root: The state folder.
        environ: Variables for every command.
        python: The Python that runs them.
    """

    root: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    python: str = sys.executable

    @property
    def folder(self) -> StateFolder:
        """The state folder's paths."""
        return StateFolder(self.root)

    def copy_cache(self, cache: Path) -> None:
        """Start with the caches of another state folder."""
        start_with_cache(self.folder, cache)

    def run(self, *words: str, user: int | None = None, timeout_s: float = 60, **environ: str) -> Outcome:
        """Run a ragbed command to its end."""
        answer = subprocess.run(
            [self.python, "-m", "ragbed", *words],
            env={**self._environ(), **environ},
            user=user,
            cwd="/",
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        return Outcome(code=answer.returncode, out=answer.stdout, err=answer.stderr)

    def begin(self, *words: str, module: str = "ragbed") -> subprocess.Popen[bytes]:
        """Start a command and return at once; what it prints goes to a file in the state folder."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / "begun.log").open("ab") as log:
            return subprocess.Popen(
                [self.python, "-m", module, *words],
                env=self._environ(),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def lease(self, service: str) -> Lease:
        """Return the lease of a service that runs."""
        return next(lease for lease in Leases(self.folder).all() if lease.service == service)

    def pid(self, service: str) -> int:
        """Return the process id of a service that runs."""
        process = self.lease(service).resource.process
        if process is None:
            raise LookupError(f"{service} has no process yet")
        return process.pid

    def kill(self, service: str) -> None:
        """Kill a service, and return once it has gone."""
        process = psutil.Process(self.pid(service))
        family = [process, *process.children(recursive=True)]
        process.kill()
        psutil.wait_procs(family, timeout=5)

    def processes(self) -> list[str]:
        """Return the processes that belong here: by their variables, their working folder or their arguments."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.pid != os.getpid() and self._owns(process):
                    found.append(f"process {process.pid}: {' '.join(process.cmdline())[:120]}")
        return found

    def left(self) -> list[str]:
        """Return what is left here though no stack is up: processes, leases, data, locks, unfinished files."""
        files = [
            *self.root.glob("leases/*"),
            *self.root.glob("leases/.*"),
            *self.root.glob("data/*"),
            *self.root.glob("cache/building-*"),
            *self.root.glob(".stack.json.*"),
            *self.root.glob("stack.json"),
        ]
        return [*self.processes(), *map(str, files), *self._held_locks(), *map(str, self._outside())]

    def kill_all(self) -> None:
        """End whatever runs here, for tests that failed half-way."""
        for line in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(line.split()[1].rstrip(":")), signal.SIGKILL)

    def _environ(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if name not in _SPOKEN}
        return {
            **inherited,
            "RAGBED_STATE_DIR": str(self.root),
            "RAGBED_STACK__DEFAULT_PORTS": "false",
            "RAGBED_ROOT": str(Path(__file__).parents[3]),
            **self.environ,
        }

    def _owns(self, process: psutil.Process) -> bool:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        inside = str(self.root)
        return (
            process.environ().get("RAGBED_STATE_DIR") == inside
            or process.cwd().startswith(inside)
            or any(inside in word for word in process.cmdline())
        )

    def _held_locks(self) -> list[str]:
        held = []
        for path in self.root.glob("*.lock"):
            with path.open("a") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    held.append(f"lock {path}")
        return held

    def _outside(self) -> list[Path]:
        folders = [outside_folder(self.folder.kept / service) for service in SERVICES]
        return [folder for folder in folders if folder and folder.exists()]
