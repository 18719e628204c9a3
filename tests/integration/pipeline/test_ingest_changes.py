"""Ingest on real services: the index follows the folder, and nothing is done twice."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import redis

from ragbed.errors import UsageError
from ragbed.events import CollectingSink
from ragbed.pipeline import Unreadable

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline_bench import Bench

INGEST_AND_LIST_MODULES = """
import json, sys
from pathlib import Path
from ragbed.pipeline import PipelineConfig, open_pipeline
values = json.load(sys.stdin)
config = PipelineConfig.from_json(values["config"])
with open_pipeline(config) as pipeline:
    report = pipeline.ingest(Path(values["folder"]))
json.dump({"unchanged": report.unchanged, "seconds": report.seconds, "modules": list(sys.modules)}, sys.stdout)
"""


def test_first_ingest_indexes_every_document(bench: Bench) -> None:
    """The report counts what the folder holds."""
    bench.write(
        {"a.md": "# A\n\nalpha\n", "sub/b.txt": "beta\n", "logo.png": "x", "bad.md": "\x00", "none.md": ""}
    )

    report = bench.ingest()

    assert (report.documents, report.changed, report.chunks, report.embedded, report.ignored) == (
        2,
        2,
        2,
        2,
        1,
    )
    assert report.unreadable == (Unreadable(path="bad.md", reason="binary: a NUL byte at offset 0"),)
    assert (report.empty, report.ignored_by_suffix) == (("none.md",), {".png": 1})


def test_unchanged_document_is_not_embedded_again(handbook: Bench) -> None:
    """A second ingest of the same bytes asks neither the model nor the cache."""
    report = handbook.ingest()

    assert (report.unchanged, report.changed, report.embedded, report.cached, report.batches) == (
        3,
        0,
        0,
        0,
        0,
    )


def test_unchanged_ingest_imports_no_heavy_client(handbook: Bench) -> None:
    """Ten times an hour nobody waits for clients that are not used."""
    request = json.dumps({"config": handbook.config.to_json(), "folder": str(handbook.folder)})
    run = subprocess.run(
        [sys.executable, "-c", INGEST_AND_LIST_MODULES],
        input=request,
        capture_output=True,
        text=True,
        check=True,
    )

    answer = json.loads(run.stdout)
    heavy = {"qdrant_client", "ollama", "redis", "alembic", "sqlalchemy", "markdown_it", "yaml", "numpy"}
    assert answer["unchanged"] == 3
    assert heavy.isdisjoint(answer["modules"])


def test_changed_document_replaces_its_chunks(handbook: Bench) -> None:
    """What a document no longer says is no longer found."""
    handbook.write({"backup.md": "# Backup\n\nTake a snapshot of the volume.\n"})

    report = handbook.ingest()

    assert (report.changed, report.unchanged) == (1, 2)
    assert not any("pg_restore" in text for text in handbook.texts())


def test_removed_document_is_removed(handbook: Bench) -> None:
    """A deleted file leaves the index and the ledger."""
    (handbook.folder / "ports.md").unlink()

    report = handbook.ingest()

    assert report.removed == 1
    assert "ports.md" not in handbook.documents("Which port does Postgres listen on?")


def test_document_that_became_unreadable_is_removed(handbook: Bench) -> None:
    """The index does not keep what can no longer be checked."""
    (handbook.folder / "ports.md").write_bytes(b"\xff\xfe\x00")

    report = handbook.ingest()

    assert (report.removed, report.documents) == (1, 2)


def test_empty_folder_empties_the_index_when_it_may(handbook: Bench) -> None:
    """The index follows the folder to the end, where somebody says so."""
    for path in handbook.folder.iterdir():
        path.unlink()

    with handbook.open() as pipeline:
        assert pipeline.ingest(handbook.folder, allow_empty=True).chunks == 0
    assert handbook.texts() == []


def test_folder_without_documents_empties_no_index(handbook: Bench) -> None:
    """A folder with nothing to read is likelier the wrong one: the index stays, and the way on is named."""
    wrong = handbook.folder.parent / "wrong"
    wrong.mkdir()
    (wrong / "bad.md").write_bytes(b"\xff\xfe\x00")

    with handbook.open() as pipeline, pytest.raises(UsageError, match="holds 3, which would go") as caught:
        pipeline.ingest(wrong, other_folder="replace")

    assert "--allow-empty" in caught.value.hint
    assert handbook.ingest().unchanged == 3


def test_folder_without_documents_is_refused_with_what_was_left_out(bench: Bench) -> None:
    """An ingest that reads nothing is a mistake: the user learns what lies in the folder, by suffix."""
    bench.write({"a.pdf": "x", "b.xyz": "x", "c.pdf": "x", "d.md": ""})

    with pytest.raises(UsageError, match=r"holds no document that can be read$") as caught:
        bench.ingest()

    assert caught.value.details[:2] == ("d.md: empty", "left out: 2 .pdf, 1 .xyz")


def test_folder_without_documents_is_a_fine_beginning_when_it_may(bench: Bench) -> None:
    """--allow-empty says that it is meant."""
    with bench.open() as pipeline:
        assert pipeline.ingest(bench.folder, allow_empty=True).documents == 0


def another_folder(handbook: Bench) -> Path:
    """Return a second folder of documents; one bears a name that the first folder has too."""
    other = handbook.folder.parent / "handbook"
    other.mkdir()
    (other / "moon.md").write_text("# Moon\n\nThe moon rises in the east.\n")
    (other / "ports.md").write_text("# Harbours\n\nShips lie in harbours.\n")
    return other


def test_another_folder_is_refused(handbook: Bench) -> None:
    """A namespace remembers its folder: another one does not take its documents' place unasked."""
    other = another_folder(handbook)

    with handbook.open() as pipeline, pytest.raises(UsageError, match="is another folder") as caught:
        pipeline.ingest(other)

    assert str(handbook.folder) in caught.value.message
    assert all(flag in caught.value.hint for flag in ("--add", "--replace", "--namespace"))
    assert handbook.ingest().unchanged == 3


def test_another_folder_replaces_the_first_when_asked(handbook: Bench) -> None:
    """What the first folder held is gone, and the second one is the namespace's from then on."""
    other = another_folder(handbook)

    with handbook.open() as pipeline:
        report = pipeline.ingest(other, other_folder="replace")
        again = pipeline.ingest(other)

    assert (report.documents, report.removed, again.unchanged) == (2, 2, 2)
    assert handbook.documents("moon harbour dump port vector") == ["moon.md", "ports.md"]


def test_another_folder_is_added_when_asked(handbook: Bench) -> None:
    """Both stay, each is brought up to date by itself, and equal names do not collide."""
    other = another_folder(handbook)

    with handbook.open() as pipeline:
        added = pipeline.ingest(other, other_folder="add")
        (other / "moon.md").unlink()
        shrunk = pipeline.ingest(other)
    first = handbook.ingest()

    assert (added.documents, added.changed, added.removed) == (5, 2, 0)
    assert (shrunk.documents, shrunk.removed, first.documents, first.unchanged) == (4, 1, 4, 3)
    assert sorted(handbook.documents("harbours ships dump port vector")) == [
        "backup.md",
        "cache.txt",
        "handbook/ports.md",
        "ports.md",
    ]


def test_index_built_anew_holds_the_added_folders_too(handbook: Bench) -> None:
    """Another parameter rebuilds everything, wherever it came from; a folder that has gone is told first."""
    other = another_folder(handbook)
    with handbook.open() as pipeline:
        pipeline.ingest(other, other_folder="add")

    rebuilt = handbook.ingest(chunking={"tokens": 60})
    other.rename(other.with_name("moved"))

    assert (rebuilt.documents, bool(rebuilt.rebuilt)) == (5, True)
    with pytest.raises(UsageError, match="handbook, which it holds, is not there"):
        handbook.ingest(chunking={"tokens": 80})


def test_document_that_stalls_its_parser_stops_no_ingest(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told with the reason, and the others are read."""
    monkeypatch.setattr("ragbed.pipeline.parser_process.MOST_SECONDS", 0.5)
    bench.write(
        {"a.md": "# A\n\nalpha\n", "slow.md": "# t\n\n" + "- a\n* b\n+ c\n" * 60_000, "z.md": "# Z\n\nzeta\n"}
    )

    report = bench.ingest()

    assert (report.documents, [one.path for one in report.unreadable]) == (2, ["slow.md"])
    assert "to read" in report.unreadable[0].reason


def test_missing_folder_changes_nothing(handbook: Bench) -> None:
    """A wrong path is an error, and no empty corpus."""
    with handbook.open() as pipeline, pytest.raises(UsageError, match="is not a folder"):
        pipeline.ingest(handbook.folder / "nowhere")

    assert handbook.ingest().unchanged == 3


def test_embeddings_come_from_the_cache(handbook: Bench) -> None:
    """A new index of known texts asks the model for nothing."""
    handbook.execute("UPDATE documents SET content_hash = 'other'")

    report = handbook.ingest()

    assert (report.cached, report.embedded) == (report.chunks, 0)


def test_lost_cache_is_only_slower(handbook: Bench) -> None:
    """The same index comes out when Redis has forgotten everything."""
    before = handbook.texts()
    client = redis.Redis.from_url(handbook.config.stores.redis_url)
    client.delete(*client.keys(f"{handbook.config.key_prefix}*"))
    client.close()
    handbook.execute("UPDATE documents SET content_hash = 'other'")

    report = handbook.ingest()

    assert (report.cached, report.embedded) == (0, report.chunks)
    assert handbook.texts() == before


def test_cache_that_does_not_answer_is_done_without_and_said(bench: Bench) -> None:
    """A dead Redis does not stop an ingest; the report warns."""
    bench.write({"a.md": "# A\n"})

    report = bench.ingest(stores={"redis_url": "redis://127.0.0.1:9/0"})

    assert report.embedded == 1
    assert "embedding cache not used" in report.warnings[0]


def test_batches_have_the_configured_size(bench: Bench) -> None:
    """Seven chunks in batches of three are three batches."""
    bench.write({f"{number}.md": f"# Part {number}\n" for number in range(7)})

    assert bench.ingest(chunking={"batch_size": 3}).batches == 3


def test_text_over_the_context_is_embedded_in_parts(bench: Bench) -> None:
    """A chunk that the model refuses is split, indexed and counted."""
    bench.write({"a.txt": "word " * 900})

    report = bench.ingest(chunking={"tokens": 2000})

    assert (report.chunks, report.split) == (1, 1)


def test_progress_ends_with_every_chunk(bench: Bench) -> None:
    """The last report of indexing is complete."""
    bench.write({f"{number}.md": f"# Part {number}\n" for number in range(5)})
    seen = CollectingSink()

    with bench.open(chunking={"batch_size": 2}) as pipeline:
        pipeline.ingest(bench.folder, events=seen)

    assert [(one.data["done"], one.data["total"]) for one in seen.events if one.subject == "indexing"] == [
        (0, 5),
        (2, 5),
        (4, 5),
        (5, 5),
    ]
