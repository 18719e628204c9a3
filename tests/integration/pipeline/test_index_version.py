"""What a reader keeps of the index in memory: one look at Postgres a question, and never an old answer."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import psycopg
import pytest

from ragbed.pipeline import Pipeline

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline_bench import Bench

    from ragbed.stack import Stack
    from ragbed.state import StateFolder

INGEST = """
import json, sys
from pathlib import Path
from ragbed.pipeline import PipelineConfig, open_pipeline
values = json.load(sys.stdin)
config = PipelineConfig.from_json(values["config"])
with open_pipeline(config) as pipeline:
    pipeline.ingest(Path(values["folder"]))
"""
LOGGED = "?options=-c%20log_statement%3Dall"
QUESTION = "How do I restore a dump with pg_restore?"


def ingest_elsewhere(bench: Bench) -> None:
    """Ingest the folder in another process."""
    request = json.dumps({"config": bench.config.to_json(), "folder": str(bench.folder)})
    subprocess.run([sys.executable, "-c", INGEST], input=request, text=True, check=True, timeout=120)


@pytest.fixture
def log(stack: Stack, state: StateFolder) -> Path:
    """Postgres's log."""
    return state.log(stack.id, "postgres")


def queries(log: Path, url: str) -> list[str]:
    """Return the statements in Postgres's log, up to now."""
    with psycopg.connect(url) as connection:
        connection.execute("SELECT 1")  # the log is written before a statement is answered
    return [
        line for line in log.read_text().splitlines() if "LOG:  execute" in line or "LOG:  statement" in line
    ]


@pytest.mark.parametrize("call", [Pipeline.retrieve, Pipeline.examine], ids=["retrieve", "examine"])
def test_a_question_asks_postgres_once(handbook: Bench, log: Path, call: object) -> None:
    """Whatever was asked before: state, documents and terms come together."""
    url = handbook.config.stores.database_url
    asked = []
    with handbook.open(stores={"database_url": url + LOGGED}) as pipeline:
        pipeline.retrieve("open the connection")
        for question in (QUESTION, QUESTION, "Which port does Redis listen on?"):
            before = len(queries(log, url))
            call(pipeline, question)  # type: ignore[operator]
            asked.append(len(queries(log, url)) - before)

    assert asked == [1, 1, 1]


def test_an_ingest_of_another_process_is_seen_by_the_next_question(handbook: Bench) -> None:
    """A reader that is open finds what was added, and knows the terms of its documents."""
    question = "What does zeppelin maintenance cost?"
    with handbook.open() as pipeline:
        before, gap = pipeline.examine(question)
        handbook.write({"zeppelin.md": "# Zeppelin\n\nZeppelin maintenance costs 40 crowns a year.\n"})
        ingest_elsewhere(handbook)
        after, no_gap = pipeline.examine(question)
        (handbook.folder / "zeppelin.md").unlink()
        ingest_elsewhere(handbook)
        _, again = pipeline.examine(question)

    assert "zeppelin.md" not in {passage.document for passage in before}
    assert after[0].document == "zeppelin.md"
    assert gap is not None
    assert no_gap is None
    assert again is not None
    assert again.reasons == gap.reasons


def test_every_ingest_that_writes_raises_the_version(handbook: Bench) -> None:
    """One that finds nothing changed leaves it."""

    def version() -> object:
        return handbook.execute("SELECT version FROM index_state")[0][0]

    versions = [version()]
    for text in ("one\n", "two\n"):
        handbook.write({"more.txt": text})
        handbook.ingest()
        versions.append(version())
    handbook.ingest()

    assert versions == sorted(set(versions), key=int)  # type: ignore[call-overload]
    assert version() == versions[-1]


def test_an_index_that_was_dropped_and_made_anew_is_another_one(handbook: Bench) -> None:
    """Versions count within a collection: the first one of the next index is not taken for an old one."""
    with handbook.open() as reader:
        reader.examine("Which port does Redis listen on?")
        with handbook.open() as writer:
            writer.drop()
        (handbook.folder / "ports.md").unlink()
        ingest_elsewhere(handbook)
        _, gap = reader.examine("Which port does Redis listen on?")

    assert gap is not None
    assert gap.kind == "missing_topic"
