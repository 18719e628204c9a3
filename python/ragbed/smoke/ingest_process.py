"""The writing half of the index stage, in a process of its own that ends before anything is read.

Nothing heavy is imported here: the process starts before this one imports the stages, and imports its libraries while
the stack comes up. `ingest_child` is what it runs.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from ragbed.errors import CheckFailed, RagbedError
from ragbed.lifeline import lifeline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ragbed.pipeline import PipelineConfig

_PROGRAM = """
import sys
from ragbed.lifeline import follow
follow(int(sys.argv[1]))
from ragbed.smoke.ingest_child import main
main()
"""
"""Follows the lifeline before the imports, which take longest: a smoke that is killed leaves no such process behind."""


class IngestProcess:
    """Ingests one corpus, in another process; open it by `ingest_process`.

    Args:
        process: Runs `ingest_child`, with pipes.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

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
        process = self._process
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


@contextmanager
def ingest_process() -> Iterator[IngestProcess]:
    """Start an ingest process; it has ended when the `with` block has."""
    with (
        lifeline() as line,
        subprocess.Popen(
            [sys.executable, "-P", "-c", _PROGRAM, str(line)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            pass_fds=(line,),
        ) as process,
    ):
        try:
            yield IngestProcess(process)
        finally:
            process.kill()  # a block that ends early never asked it for anything
