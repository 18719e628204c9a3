"""Ingest by the pipeline on a real Ollama, against the bare client over the same batches; alternating rounds, medians.

Run it by `scripts/bench-ollama [--chunks 793] [--rounds 3] [--check]`. Both sides ask for the same batches and threads,
and in each round the other one goes first. On a busy machine the clock says little; processor time, which counts our
own process and all servers, still tells what the pipeline adds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ollama import Client
from spent import Meter

from ragbed.events import SILENT
from ragbed.llm.batching import batches
from ragbed.llm.timeouts_and_retries import ClientPolicy
from ragbed.pipeline import open_pipeline
from ragbed.pipeline.on_stack import pipeline_config
from ragbed.pipeline.parser_process import ParserProcess
from ragbed.pipeline.ports import SourceFolder
from ragbed.pipeline.progress import IngestProgress
from ragbed.pipeline.reading import Reading, read_changes
from ragbed.settings import resolve_settings
from ragbed.stack import running_stack
from ragbed.state import StateFolder
from tiny_models.corpus import CHUNK_TOKENS, write_corpus
from tiny_models.models import LOCK, make_models
from tiny_models.program import find_program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ragbed.pipeline import IngestReport, PipelineConfig

_MOST_OVERHEAD = 0.05
_MOST_UNCHANGED_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one round took.

    Attributes:
        raw_s: The bare client, over the batches of the pipeline.
        ingest_s: The pipeline: reading, chunking, embedding, index, ledger.
        unchanged_s: A second ingest of the same bytes.
        changed_s: A third one, in which one document of seven chunks is another.
        changed_chunks: Chunks that the third one embedded.
        raw_cpu_s: Processor time of the first figure, of this process and every server.
        ingest_cpu_s: Processor time of the second.
    """

    raw_s: float
    ingest_s: float
    unchanged_s: float
    changed_s: float
    changed_chunks: int
    raw_cpu_s: float
    ingest_cpu_s: float


def main() -> int:
    """Measure, print JSON; with --check, exit code 1 where a bar is missed."""
    parser = argparse.ArgumentParser(prog="scripts/bench-ollama", description=__doc__)
    parser.add_argument("--chunks", type=int, default=793)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--threads", type=int, default=0, help="num_thread of both sides; 0: as ragbed chooses"
    )
    parser.add_argument("--check", action="store_true", help="exit code 1 where a bar is missed")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="ragbed-bench-") as name,
        _pipeline(Path(name), given.threads) as (config, meter),
    ):
        rounds = [_round(config, meter, Path(name), given.chunks, number) for number in range(given.rounds)]
    summary = _summary(rounds)
    print(json.dumps({"chunks": given.chunks, "num_thread": config.models.num_thread, **summary}, indent=2))
    return int(given.check and bool(summary["missed"]))


@contextmanager
def _pipeline(folder: Path, threads: int) -> Iterator[tuple[PipelineConfig, Meter]]:
    """Yield the configuration of a pipeline on a stack with a real Ollama, and a meter of that stack."""
    (folder / "bin").mkdir()
    (folder / "bin" / "ollama").symlink_to(find_program())
    os.environ |= {
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "OLLAMA_MODELS": str(make_models(find_program)),
        "RAGBED_MODELS_LOCK": str(LOCK),
        "MODEL_PROVIDER": "ollama",
        "RAGBED_LLM__NUM_THREAD": str(threads),
    }
    chosen = {"stack.default_ports": False, "pipeline.chunk_tokens": CHUNK_TOKENS}
    settings = resolve_settings(folder=folder, overrides=chosen)
    state = StateFolder(folder / "state")
    with running_stack(settings, folder=state, private=True) as stack:
        pids = [endpoint.pid for endpoint in stack.endpoints.values() if endpoint.pid]
        yield pipeline_config(stack, settings, folder=state), Meter(servers=pids)


def _round(config: PipelineConfig, meter: Meter, folder: Path, chunks: int, number: int) -> Round:
    corpus = folder / f"corpus-{number}"
    write_corpus(corpus, chunks=chunks, seed=number)
    config = replace(config, namespace=f"bench_{number}")
    ask = partial(_ask_the_bare_client, config, corpus)
    with open_pipeline(config) as pipeline:
        pipeline.migrate()
        ingest = partial(pipeline.ingest, corpus)
        if number % 2:
            ingested, raw = meter.measure(ingest), meter.measure(ask)
        else:
            raw, ingested = meter.measure(ask), meter.measure(ingest)
        unchanged = meter.measure(ingest)
        write_corpus(folder / "changed", chunks=7, seed=number + 10_000)
        (folder / "changed" / "document-0000.md").replace(corpus / "document-0000.md")
        reports: list[IngestReport] = []
        changed = meter.measure(lambda: reports.append(ingest()))
        pipeline.drop()
    one = Round(
        raw_s=raw.seconds,
        ingest_s=ingested.seconds,
        unchanged_s=unchanged.seconds,
        changed_s=changed.seconds,
        changed_chunks=reports[0].embedded,
        raw_cpu_s=raw.cpu_s,
        ingest_cpu_s=ingested.cpu_s,
    )
    print(f"round {number + 1}: {asdict(one)}", file=sys.stderr, flush=True)
    return one


def _ask_the_bare_client(config: PipelineConfig, corpus: Path) -> None:
    """Send the batches that the pipeline sends."""
    reading = Reading()
    with ParserProcess() as parser:
        source = SourceFolder(path=corpus, prefix="")
        read_changes(
            source, config, known={}, parser=parser, reading=reading, progress=IngestProgress(SILENT)
        )
    texts = [piece.text for piece in reading.pieces]
    policy, options = (
        ClientPolicy(),
        {"num_thread": config.models.num_thread} if config.models.num_thread else {},
    )
    with Client(config.models.url) as client:
        for start in range(0, len(texts), config.chunking.batch_size):
            written_together = texts[start : start + config.chunking.batch_size]
            for batch in batches(written_together, tokens=policy.batch_tokens, count=policy.batch_texts):
                client.embed(config.models.embedding, input=batch, truncate=False, options=options)


def _summary(rounds: list[Round]) -> dict[str, object]:
    median = {name: statistics.median(getattr(one, name) for one in rounds) for name in Round.__slots__}
    overhead = median["ingest_s"] / median["raw_s"] - 1
    bars = {
        f"overhead under {_MOST_OVERHEAD:.0%}": overhead < _MOST_OVERHEAD,
        f"unchanged under {_MOST_UNCHANGED_S:g} s": median["unchanged_s"] < _MOST_UNCHANGED_S,
        "a changed document costs its own seven chunks": all(one.changed_chunks == 7 for one in rounds),
    }
    return {
        "median": {name: round(value, 3) for name, value in median.items()},
        "overhead": round(overhead, 4),
        "cpu_overhead": round(median["ingest_cpu_s"] / median["raw_cpu_s"] - 1, 4),
        "missed": [bar for bar, met in bars.items() if not met],
        "rounds": [asdict(one) for one in rounds],
    }


if __name__ == "__main__":
    sys.exit(main())
