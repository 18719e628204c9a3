"""What an ingest process runs: one ingest, asked for on stdin.

It reads one JSON object on stdin (the pipeline's configuration and the corpus folder), prints one on stdout (the ingest
report, or the error), and progress on stderr.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ragbed.errors import RagbedError
from ragbed.pipeline import PipelineConfig, open_pipeline
from ragbed.smoke.preloading import WRITING, preload

if TYPE_CHECKING:
    from ragbed.pipeline import IngestProgress


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
