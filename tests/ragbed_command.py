"""The real command line in processes of its own, with a state folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Timer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class RagbedCommand:
    """Runs `ragbed`.

    Attributes:
        state: Its state folder.
        folder: The folder that it runs in; a project of its own.
        environ: Variables beside those of the tests.
    """

    state: Path
    folder: Path
    environ: Mapping[str, str] = field(default_factory=dict)

    def variables(self, **more: str) -> dict[str, str]:
        """Return the environment of a run."""
        own = {"RAGBED_STATE_DIR": str(self.state), "RAGBED_STACK__DEFAULT_PORTS": "false"}
        # A session of pytest below this one is not a worker of it.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST")}
        return {**inherited, **own, **self.environ, **more}

    def run(
        self, *words: str, answer: str = "", timeout_s: float = 120, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end.

        Args:
            words: Words after `ragbed`.
            answer: What is typed.
            timeout_s: How long it may take.
            environ: Further variables.
        """
        return subprocess.run(
            [sys.executable, "-m", "ragbed", *words],
            capture_output=True,
            text=True,
            check=False,
            input=answer,
            timeout=timeout_s,
            cwd=self.folder,
            env=self.variables(**environ),
        )

    def json(self, *words: str, **environ: str) -> Any:
        """Run a command and return the one JSON document that it must print."""
        done = self.run(*words, "--json", **environ)
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    def urls(self) -> dict[str, str]:
        """Return the addresses of the stack that is up, by variable."""
        found: dict[str, str] = json.loads(self.run("env", "--format", "json").stdout)
        return found

    def popen(self, *words: str, **environ: str) -> subprocess.Popen[str]:
        """Start a command that goes on; its output is piped, stderr into stdout."""
        return subprocess.Popen(
            [sys.executable, "-m", "ragbed", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.folder,
            env=self.variables(**environ),
        )


@contextmanager
def killed_after(process: subprocess.Popen[str], seconds: float) -> Iterator[None]:
    """Kill a process that runs for longer, or that a failed test leaves, for whose end `Popen` would wait for ever."""
    timer = Timer(seconds, process.kill)
    timer.start()
    try:
        yield
    except BaseException:
        process.kill()
        raise
    finally:
        timer.cancel()
        timer.join()
