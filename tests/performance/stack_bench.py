"""How long the stack and its commands take: measured side by side, reported, never asserted.

The rounds alternate: each measures every figure once, so that a busy minute of the machine falls on all alike.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragbed.settings import resolve_settings
from ragbed.stack import running_stack
from ragbed.stack.registry import kind_of
from ragbed.stack.services import free_port
from ragbed.state import StateFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LESSONS = Path(__file__).parents[2] / "docs" / "lessons"
_OWN = {"RAGBED_STACK__DEFAULT_PORTS": "false", "MODEL_PROVIDER": "mock"}
_LOCAL_MODE = (
    "from qdrant_client import QdrantClient; import sys; QdrantClient(path=sys.argv[1]).get_collections()"
)


class Bench:
    """The figures, each a function that measures once and returns seconds by name.

    Args:
        folder: A folder for state, made and removed by the caller.
        python: The interpreter that runs `ragbed`; that of another checkout measures that checkout's commands.
    """

    def __init__(self, folder: Path, python: str = sys.executable) -> None:
        self._folder = folder
        self._python = python
        self._environ = {**os.environ, **_OWN, "RAGBED_STATE_DIR": str(folder / "state")}
        self._count = 0

    def servers_ready(self) -> dict[str, float]:
        """A private stack, from the launcher's call until every service answers, and each service's own part."""
        settings = resolve_settings(environ=_OWN)
        began = time.perf_counter()
        with running_stack(settings, folder=StateFolder(self._folder / "own"), private=True) as stack:
            seconds = time.perf_counter() - began
            parts = {f"servers ready: {name}": part for name, part in stack.seconds.items()}
        return {"servers ready": seconds, **parts}

    def up_detached(self) -> dict[str, float]:
        """`ragbed up -d` and `ragbed down`, as whole processes."""
        up = self._timed("up", "-d")
        return {"ragbed up -d": up, "ragbed down": self._timed("down")}

    def short_commands(self) -> dict[str, float]:
        """`ragbed --help`, and `ragbed status` with a stack up."""
        with self._up():
            return {"ragbed --help": self._timed("--help"), "ragbed status": self._timed("status")}

    def unchanged_ingest(self) -> dict[str, float]:
        """`ragbed ingest` of a folder that is in the stack already."""
        with self._up():
            first = self._timed("ingest", str(LESSONS))
            return {
                "ragbed ingest, first": first,
                "ragbed ingest, unchanged": self._timed("ingest", str(LESSONS)),
            }

    def second_smoke(self) -> dict[str, float]:
        """`ragbed smoke`, which starts and ends a stack of its own, and its stages; the caches are warm."""
        seconds, report = self._ran("smoke", "--json")
        stages = {
            f"ragbed smoke, warm: {stage['name']}": stage["seconds"] for stage in json.loads(report)["stages"]
        }
        return {"ragbed smoke, warm": seconds, **stages}

    def qdrant_beside_local_mode(self) -> dict[str, float]:
        """An empty vector store in a fresh process: our server until it answers, qdrant-client's local mode."""
        self._count += 1
        data, port = self._folder / f"qdrant-{self._count}", free_port()
        began = time.perf_counter()
        command = [sys.executable, "-m", "ragbed.qdrant", "--port", str(port), "--data", str(data / "ours")]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            if process.stdout:
                process.stdout.readline()  # its one line says that it accepts connections
            kind_of("qdrant").client(f"http://127.0.0.1:{port}").pulse()
            ours = time.perf_counter() - began
            process.terminate()
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", _LOCAL_MODE, str(data / "local")], check=True)
        return {
            "embedded Qdrant ready": ours,
            "qdrant-client's local mode ready (peer)": time.perf_counter() - began,
        }

    def all(self) -> dict[str, Callable[[], dict[str, float]]]:
        """Return every measurement by its name on the command line."""
        measurements = (
            self.servers_ready,
            self.up_detached,
            self.short_commands,
            self.unchanged_ingest,
            self.second_smoke,
            self.qdrant_beside_local_mode,
        )
        return {one.__name__.replace("_", "-"): one for one in measurements}

    @contextmanager
    def _up(self) -> Iterator[None]:
        self._timed("up", "-d")
        try:
            yield
        finally:
            self._timed("down")

    def _timed(self, *words: str) -> float:
        return self._ran(*words)[0]

    def _ran(self, *words: str) -> tuple[float, str]:
        """Run a command; return how long it took, in seconds, and what it printed."""
        began = time.perf_counter()
        command = [self._python, "-m", "ragbed", *words]
        answer = subprocess.run(command, env=self._environ, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - began
        if answer.returncode:
            raise RuntimeError(f"{' '.join(words)} ended with {answer.returncode}: {answer.stderr[-2000:]}")
        return seconds, answer.stdout


NAMES = tuple(Bench(Path()).all())
"""Every measurement by its name on the command line."""


def measure(rounds: int, only: tuple[str, ...] = NAMES, *, before: str = "") -> dict[str, Any]:
    """Return the figures in seconds after a round that warms the caches and is not counted.

    Args:
        rounds: How often each is measured, at least 1.
        only: Which measurements.
        before: The interpreter of another checkout's environment, whose commands are measured in turn with ours;
            empty measures ours alone.
    """
    taken: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="ragbed-bench-") as folder:
        sides = {"": Bench(Path(folder) / "now")}
        if before:
            sides[" (before)"] = Bench(Path(folder) / "before", before)
        for number in range(rounds + 1):
            for name in only:
                for side, bench in sides.items():
                    for figure, seconds in bench.all()[name]().items():
                        taken.setdefault(figure + side, []).extend([seconds] if number else [])
    figures = {name: _summary(values) for name, values in taken.items()}
    return {"machine": _machine(), "rounds": rounds, "seconds": figures}


def _summary(values: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(values), 4),
        "min": round(min(values), 4),
        "max": round(max(values), 4),
    }


def _machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
    }


def table(report: dict[str, Any]) -> str:
    """Return the figures as a Markdown table."""
    rows = [
        f"| {name} | {row['median']:.3f} | {row['min']:.3f} | {row['max']:.3f} |"
        for name, row in report["seconds"].items()
    ]
    return "\n".join(["| what | median s | min s | max s |", "|---|---:|---:|---:|", *rows])


def main() -> None:
    """Measure and print: a table on stderr for eyes, JSON on stdout for programs."""
    flags = argparse.ArgumentParser(prog="scripts/bench", description="Measure the stack and its commands.")
    flags.add_argument("--rounds", type=int, default=7, help="counted rounds (default: %(default)s)")
    flags.add_argument("--only", action="append", choices=NAMES, help="only this; may be given again")
    flags.add_argument(
        "--before", default="", help="Python of another checkout, measured in turn with this one"
    )
    given = flags.parse_args()
    report = measure(given.rounds, tuple(given.only or NAMES), before=given.before)
    sys.stderr.write(table(report) + "\n")
    sys.stdout.write(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
