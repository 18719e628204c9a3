"""Two projects on the same stores: whose a namespace is, and what an older ragbed left."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest
from pipeline_bench import Bench

from ragbed.errors import GuardRefused, IndexFailed
from ragbed.http import request_json
from ragbed.pipeline.adapters.takeover import take_over

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

QUESTION = "Which command empties the cache?"


def write(bench: Bench, name: str) -> None:
    """Give a project one document, which names it."""
    bench.write({f"{name}.md": f"# Cache\n\nThe command cache-flush-{name} empties the cache.\n"})


@pytest.fixture
def other(bench: Bench, tmp_path: Path) -> Iterator[Bench]:
    """Another project on the same stores, with the same name for its namespace."""
    config = replace(bench.config, project_id=secrets.token_hex(8), project_name="wiki")
    folder = tmp_path / "others"
    folder.mkdir()
    write(bench, "ours")
    bench.ingest()
    yield Bench(config=config, folder=folder)
    with Bench(config=config, folder=folder).open(namespace="default") as pipeline:
        pipeline.drop()


def test_a_namespace_of_another_project_is_refused(bench: Bench, other: Bench) -> None:
    """To read, to write and to drop; whose it is is told, and what to type."""
    write(other, "theirs")
    acts = {
        "ingest": lambda pipeline: pipeline.ingest(other.folder),
        "ask": lambda pipeline: pipeline.ask(QUESTION),
        "gaps": lambda pipeline: pipeline.gaps(),
        "drop": lambda pipeline: pipeline.drop(),
    }
    for act in acts.values():
        with (
            other.open() as pipeline,
            pytest.raises(GuardRefused, match="belongs to another project") as caught,
        ):
            act(pipeline)
        assert bench.config.project_id in caught.value.message
        assert "--namespace" in caught.value.hint

    assert bench.documents(QUESTION) == ["ours.md"]


def test_the_index_of_another_project_is_refused_where_the_ledgers_are_apart(
    bench: Bench, other: Bench
) -> None:
    """One Qdrant, a Postgres each: neither deletes the other's index."""
    write(other, "theirs")
    name = f"apart_{secrets.token_hex(4)}"
    with psycopg.connect(bench.config.stores.database_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
    apart = bench.config.stores.database_url.rpartition("/")[0] + f"/{name}"

    with other.open(stores={"database_url": apart}) as pipeline:
        with pytest.raises(GuardRefused, match="in Qdrant belongs to another project"):
            pipeline.ingest(other.folder)
        with pytest.raises(GuardRefused, match="in Qdrant belongs to another project"):
            pipeline.drop()

    assert bench.documents(QUESTION) == ["ours.md"]


def test_default_namespaces_do_not_meet(bench: Bench, other: Bench) -> None:
    """Neither the documents nor the gaps nor the cached embeddings of one project reach the other."""
    write(other, "theirs")
    with bench.open(namespace="default") as ours, other.open(namespace="default") as theirs:
        ours.ingest(bench.folder)
        report = theirs.ingest(other.folder)
        ours.ingest(bench.folder)

        assert (report.embedded, report.cached) == (1, 0)
        assert [chunk.document for chunk in theirs.retrieve(QUESTION)] == ["theirs.md"]
        assert [chunk.document for chunk in ours.retrieve(QUESTION)] == ["ours.md"]
        ours.drop()
        assert [chunk.document for chunk in theirs.retrieve(QUESTION)] == ["theirs.md"]


def test_an_alias_that_leads_elsewhere_changes_no_answer(bench: Bench, other: Bench) -> None:
    """Questions go to the collection that the ledger names."""
    write(other, "theirs")
    with other.open(namespace="default") as theirs:
        theirs.ingest(other.folder)
        found = request_json("GET", f"{bench.config.stores.qdrant_url}/aliases").value
        collections = {one["alias_name"]: one["collection_name"] for one in found["result"]["aliases"]}
        foreign = collections[replace(other.config, namespace="default").alias]
        move(bench, foreign)

        assert bench.documents(QUESTION) == ["ours.md"]
        with bench.open() as ours, pytest.raises(GuardRefused, match="belongs to another project"):
            ours.ingest(bench.folder)
        move(bench, collections[bench.config.alias])


def move(bench: Bench, collection: str) -> None:
    """Let the alias of a namespace name another collection."""
    named = {"alias_name": bench.config.alias, "collection_name": collection}
    actions = [{"delete_alias": {"alias_name": bench.config.alias}}, {"create_alias": named}]
    url = f"{bench.config.stores.qdrant_url}/collections/aliases"
    assert request_json("POST", url, body={"actions": actions}).status == 200


def test_an_index_that_is_gone_is_told(bench: Bench) -> None:
    """The same Postgres with another Qdrant: the line says what is missing, and the way out."""
    write(bench, "ours")
    bench.ingest()
    bench.execute("UPDATE index_state SET collection = 'ragbed_gone-1234'")

    with bench.open() as pipeline, pytest.raises(IndexFailed, match="is not in this Qdrant") as caught:
        pipeline.ask(QUESTION)

    assert "ragbed ingest FOLDER" in caught.value.hint


@pytest.mark.parametrize("namespace", ["default", "handbook"])
def test_what_an_older_ragbed_left_is_taken_over(bench: Bench, other: Bench, namespace: str) -> None:
    """It is refused until then; afterwards it answers without an ingest, and goes with the project's namespace."""
    older = {"namespace": namespace, "project_id": "", "project_name": ""}
    config = replace(bench.config, namespace=namespace)
    with bench.open(**older) as pipeline:
        pipeline.ingest(bench.folder)
    if namespace == "default":
        with (
            bench.open(namespace=namespace) as pipeline,
            pytest.raises(IndexFailed, match="ragbed_default is an older ragbed's") as empty,
        ):
            pipeline.ask(QUESTION)
        assert "`ragbed adopt`" in empty.value.hint
    else:
        with (
            bench.open(namespace=namespace) as pipeline,
            pytest.raises(GuardRefused, match="older ragbed") as caught,
        ):
            pipeline.ask(QUESTION)
        assert f"ragbed adopt --take {namespace}" in caught.value.hint

    done = take_over(config, from_others=False)
    again = take_over(config, from_others=False)

    assert [line.split()[:2] for line in done] == [
        ["schema", f"ragbed_{namespace}"],
        ["the", "index"],
    ]
    assert again == []
    with bench.open(namespace=namespace) as pipeline:
        assert [chunk.document for chunk in pipeline.retrieve(QUESTION)] == ["ours.md"]
        assert take_over(replace(other.config, namespace=namespace), from_others=False) == []
        pipeline.ingest(bench.folder)
        pipeline.drop()
    assert leftovers(bench, f"ragbed_{namespace}") == []


def leftovers(bench: Bench, prefix: str) -> list[str]:
    """Return the collections whose names begin so."""
    answer = request_json("GET", f"{bench.config.stores.qdrant_url}/collections").value
    return [one["name"] for one in answer["result"]["collections"] if one["name"].startswith(prefix)]


def test_a_namespace_is_handed_over_where_it_is_asked_for_by_name(bench: Bench, other: Bench) -> None:
    """The project that made it has gone: `adopt --take` gives it to this one, and the old one is refused."""
    done = take_over(other.config, from_others=True)

    assert len(done) == 2
    assert all(bench.config.project_id in line for line in done)
    with other.open() as pipeline:
        assert [chunk.document for chunk in pipeline.retrieve(QUESTION)] == ["ours.md"]
    with bench.open() as pipeline, pytest.raises(GuardRefused, match="belongs to another project, wiki"):
        pipeline.ask(QUESTION)
    take_over(bench.config, from_others=True)
