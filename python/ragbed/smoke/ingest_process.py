"""The writing half of the index stage, in a process of its own that ends before anything is read.

The process imports its libraries as soon as it runs, while the stack comes up. It reads one JSON object on stdin (the
pipeline's configuration and the corpus folder), and prints one on stdout (the ingest report, or the error). Its events
go to stderr as JSON, a line each, between the lines of its log.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ragbed.errors import CheckFailed, RagbedError
from ragbed.events import Event, EventStream, current_run, within_run
from ragbed.lifeline import lifeline
from ragbed.logs import level_of, log_to_stderr
from ragbed.smoke.preloading import WRITING, preload

if TYPE_CHECKING:
    from types import TracebackType

    from ragbed.events import EventSink
    from ragbed.pipeline import PipelineConfig

_PROGRAM = """
import sys
from ragbed.lifeline import follow
follow(int(sys.argv[1]))
from ragbed.garbage import collect_rarely
collect_rarely()
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

    def ingest(self, config: PipelineConfig, corpus: Path, *, events: EventSink) -> dict[str, Any]:
        """Ingest a corpus, and return the report once the process has ended.

        Args:
            config: The pipeline's configuration.
            corpus: The folder.
            events: Takes the events of the process; a line of its log is progress of the stage `index`.

        Raises:
            RagbedError: What the other process raised.
            CheckFailed: It ended without a report.
        """
        process = self._started()
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise CheckFailed("the ingest process has no pipes")
        request = json.dumps({"config": config.to_json(), "corpus": str(corpus), "run": current_run()})
        with suppress(BrokenPipeError):  # it has ended already: what it printed says why
            process.stdin.write(request)
        with suppress(BrokenPipeError):
            process.stdin.close()
        lines = []
        for line in process.stderr:
            lines.append(line.rstrip())
            _pass_on(line.rstrip(), events)
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


def _pass_on(line: str, events: EventSink) -> None:
    """Emit what a line tells: an event of the other process, or a line of its log."""
    try:
        event = Event.from_json(json.loads(line))
    except ValueError:
        events.emit("stage.progress", "index", line=line)
    else:
        events.emit(event.kind, event.subject, seconds=event.seconds, **event.data)


def _print(event: Event) -> None:
    print(json.dumps(event.to_json(), default=str), file=sys.stderr, flush=True)


def main() -> None:
    """Ingest what stdin asks for."""
    preload(WRITING)
    from ragbed.pipeline import PipelineConfig, open_pipeline  # noqa: PLC0415 - who starts this process needs neither

    request = json.load(sys.stdin)
    config = PipelineConfig.from_json(request["config"])
    log_to_stderr(level_of(os.environ))
    events = EventStream(_print)
    try:
        with within_run(request["run"]), open_pipeline(config, events=events) as pipeline:
            report = pipeline.ingest(Path(request["corpus"]), events=events)
    except RagbedError as error:
        json.dump({"error": error.to_json()}, sys.stdout)
        return
    json.dump(report.to_json(), sys.stdout, default=str)
