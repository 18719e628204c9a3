"""Ingest after damage: kills, lost collections, other parameters, two at once."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import psycopg
import pytest
from pipeline_bench import changed

from ragbed.errors import PipelineError
from ragbed.events import SILENT, EventStream
from ragbed.http import request_json
from ragbed.pipeline import open_pipeline
from ragbed.pipeline.adapters.ollama import OllamaEmbedder
from ragbed.pipeline.adapters.postgres import Database, PostgresLedger
from ragbed.pipeline.adapters.qdrant import QdrantIndex
from ragbed.pipeline.adapters.redis import RedisEmbeddingCache
from ragbed.pipeline.embedding import CachedEmbedding
from ragbed.pipeline.ingest import Ingest

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline_bench import Bench

    from ragbed.events import Event, Listener

INGEST_AND_DIE = """
import json, os, signal, sys
from pathlib import Path
from ragbed.events import EventStream
from ragbed.pipeline import PipelineConfig, open_pipeline
values = json.load(sys.stdin)
config = PipelineConfig.from_json(values["config"])
def die(event):
    if event.subject == "indexing" and event.data["done"] >= 4:
        os.kill(os.getpid(), signal.SIGKILL)
with open_pipeline(config) as pipeline:
    pipeline.ingest(Path(values["folder"]), events=EventStream(die))
"""


class Killed(BaseException):
    """Stands for a kill: nothing in between may handle it."""


class Mortal:
    """A port that dies at its n-th write, before or after the write is done."""

    def __init__(self, port: object, writes: tuple[str, ...], countdown: list[int], *, after: bool) -> None:
        self._port = port
        self._writes = writes
        self._countdown = countdown
        self._after = after

    def __getattr__(self, name: str) -> object:
        method = getattr(self._port, name)
        return self._deadly(method) if name in self._writes else method

    def _deadly(self, method: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **options: object) -> object:
            self._countdown[0] -= 1
            if self._countdown[0] == 0 and not self._after:
                raise Killed
            answer = method(*arguments, **options)
            if self._countdown[0] == 0:
                raise Killed
            return answer

        return call


def ingest_until_write(bench: Bench, number: int, *, after: bool, **changes: dict[str, int]) -> bool:
    """Ingest, dying at a write; return whether it came to that."""
    config = changed(bench.config, chunking={"batch_size": 2, **changes.get("chunking", {})})
    database, countdown = Database(config), [number]
    index, embedder = QdrantIndex(config), OllamaEmbedder(config)
    ledger = PostgresLedger(database, config)
    cache = RedisEmbeddingCache(config)
    try:
        Ingest(
            config,
            ledger=Mortal(
                ledger, ("restart", "begin", "complete", "replace", "remove"), countdown, after=after
            ),  # type: ignore[arg-type]
            index=Mortal(index, ("create", "publish", "upsert", "delete"), countdown, after=after),  # type: ignore[arg-type]
            embedder=embedder,
            embedding=CachedEmbedding(embedder, cache, model=config.models.embedding),
            events=SILENT,
        ).run(bench.folder)
    except Killed:
        return True
    finally:
        for opened in (index, embedder, cache, database):
            opened.close()
    return False


STATES = (
    {"backup.md": "# Backup\n\nTake a dump.\n", "cache.txt": "An hour.\n", "ports.md": "# Ports\n\n5432\n"},
    {"backup.md": "# Backup\n\nTake a snapshot.\n", "cache.txt": "An hour.\n", "new.md": "# New\n\nfresh\n"},
)
"""Two folders: from one to the other a document changes, one goes, one comes, one stays."""


def become(bench: Bench, state: dict[str, str]) -> None:
    """Make the folder hold these documents and no others."""
    for path in bench.folder.iterdir():
        path.unlink()
    bench.write(state)


def forget_index(bench: Bench) -> None:
    """Go back to before the first ingest, leaving the schema as it is."""
    index = QdrantIndex(bench.config)
    index.drop()
    index.close()
    bench.execute("TRUNCATE documents, index_state")


def collections(bench: Bench) -> list[str]:
    """Return the physical collections of the namespace."""
    answer = request_json("GET", f"{bench.config.stores.qdrant_url}/collections").value
    names = [item["name"] for item in answer["result"]["collections"]]
    return [name for name in names if name.startswith(f"{bench.config.alias}-")]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("mode", ["first", "update", "rebuild"])
def test_ingest_repairs_a_kill_at_any_write(bench: Bench, mode: str, after: bool) -> None:
    """Whichever write a process dies at, the next ingest ends with the folder's chunks and no others."""
    become(bench, STATES[0])
    bench.ingest()
    number, killed = 0, True
    while killed:
        number += 1
        become(bench, STATES[number % 2])
        changes = {"chunking": {"tokens": 150 + number % 2}} if mode == "rebuild" else {}
        if mode == "first":
            forget_index(bench)

        killed = ingest_until_write(bench, number, after=after, **changes)
        bench.ingest(**changes)

        wanted = [text.strip() for text in STATES[number % 2].values()]
        assert bench.texts() == sorted(wanted), f"after a kill at write {number}"
    assert number > 3


def test_process_killed_in_the_middle_is_repaired(bench: Bench) -> None:
    """SIGKILL between two batches: the next ingest takes what is there and does the rest."""
    bench.write({f"{number}.md": f"# Part {number}\n\ntext {number}\n" for number in range(9)})
    config = changed(bench.config, chunking={"batch_size": 2})
    request = json.dumps({"config": config.to_json(), "folder": str(bench.folder)})
    run = subprocess.run([sys.executable, "-c", INGEST_AND_DIE], input=request, text=True, check=False)
    assert run.returncode == -signal.SIGKILL

    report = bench.ingest()

    assert (report.unchanged, report.changed, report.rebuilt) == (4, 5, "")
    assert len(bench.texts()) == 9


def test_document_that_went_between_kill_and_repair_leaves_no_chunk(handbook: Bench) -> None:
    """Points that no row counts yet are found by the mark that was written before them."""
    handbook.write({"new.md": "# New\n"})
    assert ingest_until_write(handbook, 3, after=False)
    (handbook.folder / "new.md").unlink()

    assert handbook.ingest().removed == 1
    assert not any("New" in text for text in handbook.texts())


def test_lost_collection_is_filled_again_from_the_cache(handbook: Bench) -> None:
    """An index that is gone is noticed although no document changed."""
    request_json("DELETE", f"{handbook.config.stores.qdrant_url}/collections/{collections(handbook)[0]}")

    report = handbook.ingest()

    assert (report.rebuilt, report.embedded, report.cached) == ("the index was gone", 0, report.chunks)


def test_lost_points_make_the_index_be_rebuilt(handbook: Bench) -> None:
    """Fewer points than the ledger says are noticed by counting."""
    body = {"filter": {"must": [{"key": "document", "match": {"value": "ports.md"}}]}}
    url = f"{handbook.config.stores.qdrant_url}/collections/{handbook.config.alias}/points/delete?wait=true"
    request_json("POST", url, body=body)

    report = handbook.ingest()

    assert report.rebuilt == f"the index held {report.chunks - 1} points, the ledger {report.chunks}"
    assert "ports.md" in handbook.documents("Which port does Postgres listen on?")


def test_rebuild_switches_the_alias_and_leaves_one_collection(handbook: Bench) -> None:
    """Other parameters give another collection behind the same alias."""
    before = collections(handbook)

    report = handbook.ingest(chunking={"tokens": 150})

    assert report.rebuilt == "the embedding model or a parameter changed"
    assert len(collections(handbook)) == 1
    assert collections(handbook) != before


def test_other_embedding_model_changes_the_dimensions(handbook: Bench) -> None:
    """Vectors of two models never meet in one collection."""
    report = handbook.ingest(models={"embedding": "nomic-embed-text"})

    assert (report.dimensions, report.embedded) == (768, report.chunks)


def test_second_ingest_waits_for_the_first(bench: Bench) -> None:
    """Two ingests at once leave what one would have left, and the second says that it waits."""
    bench.write({f"{number}.md": f"# Part {number}\n" for number in range(4)})
    holds, waits = threading.Event(), threading.Event()
    reports = []

    def first(event: Event) -> None:
        if event.subject == "indexing" and not holds.is_set():
            holds.set()
            assert waits.wait(timeout=20)

    def second(event: Event) -> None:
        if event.subject == "waiting":
            waits.set()

    def run(listener: Listener) -> None:
        with open_pipeline(bench.config) as pipeline:
            reports.append(pipeline.ingest(bench.folder, events=EventStream(listener)))

    threads = [threading.Thread(target=run, args=(listener,)) for listener in (first, second)]
    threads[0].start()
    assert holds.wait(timeout=20)
    threads[1].start()
    for thread in threads:
        thread.join(timeout=30)

    assert [(report.changed, report.unchanged) for report in reports] == [(4, 0), (0, 4)]


def test_ingest_gives_up_waiting_after_its_time(handbook: Bench) -> None:
    """The error names the namespace and how long it waited."""
    with psycopg.connect(handbook.config.stores.database_url, autocommit=True) as holder:
        holder.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (handbook.config.schema,))
        with pytest.raises(PipelineError, match=rf"held namespace {handbook.config.namespace} for 0.05 s"):
            handbook.ingest(limits={"lock_timeout_s": 0.05})
