"""The writing half of the index stage, in a process of its own that ends before anything is read.

The process imports its libraries as soon as it runs, while the stack comes up. It reads one JSON object on stdin (the
pipeline's configuration and the corpus folder), prints one on stdout (the ingest report, or the error), and progress
on stderr.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ragbed.errors import CheckFailed, RagbedError
from ragbed.lifeline import lifeline
from ragbed.pipeline import PipelineConfig, open_pipeline
from ragbed.smoke.preloading import WRITING, preload

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from ragbed.pipeline import IngestProgress

_PROGRAM = """
import sys
from ragbed.lifeline import follow
follow(int(sys.argv[1]))
from ragbed.smoke.ingest_process import main
main()
"""
"""Follows the lifeline before the imports, which take longest: a smoke that is killed leaves no such process behind."""


class IngestProcess:
    """Ingests one corpus, in another process; use it in a `with` statement, at whose end that process has ended."""

    def __init__(self) -> None:
        self._held = ExitStack()
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.close()

    def start(self) -> None:
        """Start the process ahead of the ingest: it imports its libraries meanwhile."""
        self._started()

    def ingest(
        self, config: PipelineConfig, corpus: Path, *, progress: Callable[[str], None]
    ) -> dict[str, Any]:
        """Ingest a corpus, and return the report once the process has ended.

        Args:
            config: The pipeline's configuration.
            corpus: The folder.
            progress: Called with each line that the process prints on the way.

        Raises:
            RagbedError: What the other process raised.
            CheckFailed: It ended without a report.
        """
        process = self._started()
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise CheckFailed("the ingest process has no pipes")
        request = json.dumps({"config": config.to_json(), "corpus": str(corpus)})
        with suppress(BrokenPipeError):  # it has ended already: what it printed says why
            process.stdin.write(request)
        with suppress(BrokenPipeError):
            process.stdin.close()
        lines = []
        for line in process.stderr:
            lines.append(line.rstrip())
            progress(line.rstrip())
        output = process.stdout.read()
        code = process.wait()
        try:
            answer: dict[str, Any] = json.loads(output)
        except ValueError:
            raise CheckFailed(
                f"the ingest process ended with {code} and no report", details=lines[-10:]
            ) from None
        if "error" in answer:
            raise RagbedError.from_json(answer["error"])
        return answer

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None:
            line = self._held.enter_context(lifeline())
            process = subprocess.Popen(
                [sys.executable, "-P", "-c", _PROGRAM, str(line)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                pass_fds=(line,),
            )
            self._process = self._held.enter_context(process)
            self._held.callback(process.kill)  # a block that ends early never asked it for anything
        return self._process


class WritingProgress:
    """Says on stderr how many chunks are written: a real model may take minutes for them."""

    def __init__(self) -> None:
        self._step = 0

    def __call__(self, progress: IngestProgress) -> None:
        """Say it where another step is reached."""
        if progress.stage == "indexing" and self._step < progress.step and progress.done < progress.total:
            self._step = progress.step
            _say(f"{progress.done} of {progress.total} chunks")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    """Ingest what stdin asks for."""
    preload(WRITING)
    request = json.load(sys.stdin)
    config = PipelineConfig.from_json(request["config"])
    try:
        with open_pipeline(config, loading=lambda load: _say(load.line)) as pipeline:
            report = pipeline.ingest(Path(request["corpus"]), progress=WritingProgress())
    except RagbedError as error:
        json.dump({"error": error.to_json()}, sys.stdout)
        return
    json.dump(report.to_json(), sys.stdout, default=str)
