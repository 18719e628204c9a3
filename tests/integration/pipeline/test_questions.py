"""Questions on real services: retrieval with filters, checked answers, kept gaps."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ragbed.errors import IndexFailed, RagbedError, ServiceMissing, UsageError
from ragbed.http import request_json
from ragbed.pipeline import open_pipeline

if TYPE_CHECKING:
    from pipeline_bench import Bench

KEDA = "Kubernetes pod autoscaling with KEDA"
NOWHERE = "127.0.0.1:9"


def test_best_document_comes_first(handbook: Bench) -> None:
    """The document that answers leads."""
    assert handbook.documents("How do I restore a dump?")[0] == "backup.md"


def test_passage_carries_its_document_heading_and_metadata(handbook: Bench) -> None:
    """A passage tells where it stands and what its document's front matter says."""
    with handbook.open() as pipeline:
        best = pipeline.retrieve("restore a dump with pg_restore", top_k=1)[0]

    assert (best.document, best.title, best.metadata["lesson_type"]) == ("backup.md", "Backup", "how-to")
    assert best.metadata["tags"] == ["backup"]


@pytest.mark.parametrize(
    ("filters", "documents"),
    [
        pytest.param({"lesson_type": "reference"}, ["ports.md"], id="one value"),
        pytest.param(
            {"lesson_type": ["reference", "how-to"]}, ["backup.md", "ports.md"], id="any of several"
        ),
        pytest.param({"tags": "network"}, ["ports.md"], id="member of a list"),
        pytest.param({"platform": "postgres", "tags": "network"}, [], id="all fields"),
        pytest.param({"document": "cache.txt"}, ["cache.txt"], id="document"),
        pytest.param({"lesson_type": "concept"}, [], id="no such value"),
    ],
)
def test_filter_keeps_only_what_matches(
    handbook: Bench, filters: dict[str, str], documents: list[str]
) -> None:
    """Filters hold for both searches."""
    assert sorted(handbook.documents("dump port vector", filters=filters)) == documents


@pytest.mark.parametrize(
    ("question", "options", "message"),
    [
        pytest.param("x", {"filters": {"author": "me"}}, "cannot filter by 'author'", id="unknown field"),
        pytest.param("x", {"filters": {"tags": []}}, "the filter tags allows no value", id="no value"),
        pytest.param(" \n", {}, "the question is empty", id="empty question"),
        pytest.param("x", {"top_k": -1}, "top_k is -1", id="negative top_k"),
    ],
)
def test_wrong_question_is_a_usage_error(
    handbook: Bench, question: str, options: dict[str, Any], message: str
) -> None:
    """The message names what is wrong."""
    with handbook.open() as pipeline, pytest.raises(UsageError, match=message):
        pipeline.retrieve(question, **options)


@pytest.mark.parametrize("question", ["the of and", "?!", "a\x00b", "\ud800", "漢字", "x" * 5000])
def test_odd_question_is_answered(handbook: Bench, question: str) -> None:
    """Stop words, signs, half surrogates and long texts find something or nothing, and never crash."""
    with handbook.open() as pipeline:
        assert pipeline.ask(question).text


def test_question_before_any_ingest_says_what_to_do(bench: Bench) -> None:
    """An empty namespace is not an empty answer."""
    with bench.open() as pipeline, pytest.raises(IndexFailed, match="holds no documents"):
        pipeline.retrieve("x")


def test_index_of_another_model_is_refused(handbook: Bench) -> None:
    """Cosines between two models' vectors mean nothing, even of equal dimensions."""
    with (
        handbook.open(models={"embedding": "nomic-embed-text"}) as pipeline,
        pytest.raises(IndexFailed, match="built by another nomic-embed-text"),
    ):
        pipeline.retrieve("x")


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        (
            {"stores": {"database_url": f"postgresql://ragbed@{NOWHERE}/ragbed"}},
            ServiceMissing,
            "Postgres does not let us in",
        ),
        ({"stores": {"qdrant_url": f"http://{NOWHERE}"}}, ServiceMissing, "Qdrant does not answer POST"),
        ({"models": {"url": f"http://{NOWHERE}"}}, ServiceMissing, "Ollama does not answer"),
        ({"models": {"embedding": "no-such"}}, ServiceMissing, "Ollama has no model no-such"),
        ({"models": {"chat": "no-such"}}, ServiceMissing, r"Ollama at http://\S+ has no model no-such"),
    ],
    ids=["postgres", "qdrant", "ollama", "embedding model", "chat model"],
)
def test_missing_service_is_named(
    handbook: Bench, change: dict[str, dict[str, str]], kind: type[RagbedError], message: str
) -> None:
    """Each service that is not there has its own error."""
    with handbook.open(**change) as pipeline, pytest.raises(kind, match=message):
        pipeline.ask("Which port does Postgres listen on?")


def test_answer_cites_the_passage_it_rests_on(handbook: Bench) -> None:
    """Every citation names a passage that was given, and the passage supports it."""
    with handbook.open() as pipeline:
        answer = pipeline.ask("Which port does Postgres listen on?")

    assert answer.grounded
    assert answer.gap is None
    assert [(citation.document, citation.support) for citation in answer.citations] == [("ports.md", 1.0)]


def test_second_asking_takes_its_embedding_from_the_cache(handbook: Bench) -> None:
    """A question is embedded once."""
    with handbook.open() as pipeline:
        counts = [pipeline.ask("Which port does Redis use?").cached_embeddings for _ in range(2)]

    assert counts == [0, 1]


def test_unknown_platform_makes_a_gap_in_three_places(handbook: Bench) -> None:
    """A row, a JSON record and a review page say the same."""
    with handbook.open() as pipeline:
        gap = pipeline.ask(KEDA).gap
        rows = pipeline.gaps()

    assert gap is not None
    assert (gap.kind, gap.subject, len(set(gap.queries))) == ("missing_platform", "Kubernetes, KEDA", 4)
    assert rows == [gap]
    assert json.loads((handbook.config.stores.gaps_dir / f"{gap.id}.json").read_text()) == json.loads(
        json.dumps(gap.to_json())
    )
    assert KEDA in (handbook.config.stores.gaps_dir / f"{gap.id}.md").read_text()


def test_gap_asked_again_is_counted(handbook: Bench) -> None:
    """The same question keeps its gap and its first date."""
    with handbook.open() as pipeline:
        first, second = pipeline.ask(KEDA).gap, pipeline.ask(f"  {KEDA.lower()} ").gap

    assert first is not None
    assert second is not None
    assert (second.id, second.times_asked, second.created_at) == (first.id, 2, first.created_at)


def test_examining_a_question_saves_nothing(handbook: Bench) -> None:
    """Measuring leaves no trace."""
    with handbook.open() as pipeline:
        _, gap = pipeline.examine(KEDA)
        saved = pipeline.gaps()

    assert gap is not None
    assert saved == []


def test_old_evidence_is_stale(handbook: Bench) -> None:
    """Good evidence that nobody updated for years is a gap of its own."""
    handbook.write(
        {"ports.md": (handbook.folder / "ports.md").read_text().replace("2026-09-01", "2019-01-01")}
    )
    handbook.ingest()

    with handbook.open() as pipeline:
        _, gap = pipeline.examine("Which port does Postgres listen on?")

    assert gap is not None
    assert gap.kind == "stale"


def test_drop_leaves_the_pages_where_it_shall(handbook: Bench) -> None:
    """Rows, points and keys go; what a report names stays."""
    with handbook.open() as pipeline:
        pipeline.ask(KEDA)
        pipeline.drop(keep_pages=True)

    assert sorted(path.suffix for path in handbook.config.stores.gaps_dir.iterdir()) == [".json", ".md"]


def test_drop_removes_the_namespace_and_nothing_else(handbook: Bench) -> None:
    """A neighbour whose name begins alike keeps everything."""
    neighbour = replace(handbook.config, namespace=f"{handbook.config.namespace}_x")
    with open_pipeline(neighbour) as other, handbook.open() as pipeline:
        other.ingest(handbook.folder)
        pipeline.ask(KEDA)

        pipeline.drop()
        pipeline.drop()

        assert other.ingest(handbook.folder).unchanged == 3
        other.drop()
    assert not handbook.config.stores.gaps_dir.exists()
    aliases = request_json("GET", f"{handbook.config.stores.qdrant_url}/aliases").value
    assert handbook.config.alias not in [item["alias_name"] for item in aliases["result"]["aliases"]]


def test_an_answer_is_told_as_it_is_written(handbook: Bench) -> None:
    """The pieces, joined, are the answer's text; there is more than one."""
    pieces: list[str] = []
    with handbook.open() as pipeline:
        answer = pipeline.ask("Which port does Postgres listen on?", on_text=pieces.append)

    assert "".join(pieces).strip() == answer.text
    assert len(pieces) > 1
