"""The client policy's decisions: what is sent again, which error a failure becomes, what one request holds."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import get_args

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ragbed
from ragbed.cli.events import loading_line
from ragbed.errors import AnswerFailed, EmbeddingFailed, InputTooLong, ServiceMissing, ServiceNotReady
from ragbed.events import CollectingSink
from ragbed.llm import (
    ClientPolicy,
    Failure,
    NamedRequest,
    batches,
    error_for,
    failure_of,
    pause_before_again,
)
from ragbed.llm.failures import Kind
from ragbed.tokens import estimate_tokens

PACKAGE = Path(ragbed.__file__).parent
KINDS = get_args(Kind)
POLICY = ClientPolicy(pauses_s=(0.1, 0.2))


def call(*, embeds: bool) -> NamedRequest:
    """Return a call that embeds, or answers."""
    return NamedRequest(
        server="http://127.0.0.1:11434",
        model="m",
        doing="embedding a text by m" if embeds else "an answer by m",
        failed=EmbeddingFailed if embeds else AnswerFailed,
        repeatable=embeds,
        limit_s=5,
        limit="embedding.timeout_s",
    )


@pytest.mark.parametrize(
    ("embeds", "again"),
    [(True, {"refused", "busy", "cut", "crashed"}), (False, {"refused", "busy"})],
    ids=["embeddings", "answers"],
)
def test_only_what_does_no_harm_is_sent_again(embeds: bool, again: set[str]) -> None:
    """What has not begun, and embeddings whose connection or model was lost."""
    found = {
        kind
        for kind in KINDS
        if pause_before_again(Failure(kind=kind, said=""), call(embeds=embeds), repeats=0, policy=POLICY)
    }

    assert found == again


def test_a_connection_that_nobody_takes_is_no_silence() -> None:
    """It has a time limit of its own: the request's is not the one to raise."""
    assert failure_of(httpx.ConnectTimeout("timed out")).kind == "refused"
    assert failure_of(httpx.ReadTimeout("timed out")).kind == "silent"


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_half_read_is_never_sent_again(kind: Kind) -> None:
    """Whatever the failure."""
    failure = Failure(kind=kind, said="", begun=True)

    assert pause_before_again(failure, call(embeds=True), repeats=0, policy=POLICY) is None


def test_pauses_are_taken_in_turn_and_end() -> None:
    """There are as many repeats as pauses."""
    failure = Failure(kind="busy", said="")

    pauses = [pause_before_again(failure, call(embeds=True), repeats=n, policy=POLICY) for n in range(3)]

    assert pauses == [0.1, 0.2, None]


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("refused", ServiceMissing),
        ("absent", ServiceMissing),
        ("busy", ServiceNotReady),
        ("cut", ServiceNotReady),
        ("silent", ServiceNotReady),
        ("slow", ServiceNotReady),
        ("crashed", EmbeddingFailed),
        ("declined", EmbeddingFailed),
        ("garbled", EmbeddingFailed),
        ("too_long", InputTooLong),
    ],
)
def test_each_fault_has_its_error(kind: Kind, error: type[Exception]) -> None:
    """A server that is not there is told from a model that refuses, and the model is named."""
    made = error_for(Failure(kind=kind, said="why"), call(embeds=True))

    assert type(made) is error
    assert re.search(r"\bm\b", made.message)


def test_a_question_over_the_context_is_no_text_to_split() -> None:
    """Only an embedding can be put together from parts."""
    made = error_for(Failure(kind="too_long", said="context length"), call(embeds=False))

    assert type(made) is AnswerFailed


def test_too_little_memory_points_at_smaller_models() -> None:
    """The model would be refused again."""
    failure = Failure(
        kind="declined", said="model requires more system memory (4.9 GiB) than is available (2.0 GiB)"
    )

    assert error_for(failure, call(embeds=True)).hint.startswith("take a smaller model")


@given(
    texts=st.lists(st.text(max_size=60), max_size=30),
    tokens=st.integers(min_value=1, max_value=50),
    count=st.integers(min_value=1, max_value=10),
)
def test_batches_hold_every_text_within_the_bounds(texts: list[str], tokens: int, count: int) -> None:
    """Order is kept, no batch is empty, and only a text that is over the bound itself makes a batch that is."""
    cut = list(batches(texts, tokens=tokens, count=count))

    assert [text for batch in cut for text in batch] == texts
    assert all(1 <= len(batch) <= count for batch in cut)
    assert all(len(batch) == 1 or sum(map(estimate_tokens, batch)) <= tokens for batch in cut)


def test_default_batches_of_an_ingest_go_whole() -> None:
    """Fifty chunks of the usual size are one request."""
    chunks = ["x" * 900] * 50

    assert (
        len(list(batches(chunks, tokens=ClientPolicy().batch_tokens, count=ClientPolicy().batch_texts))) == 1
    )


@pytest.mark.parametrize(
    ("given", "sent"),
    [(None, None), ("10m", "10m"), ("600", 600.0), ("-1", -1.0), ("0", 0.0)],
)
def test_a_time_without_a_unit_is_sent_as_a_number(given: str | None, sent: str | float | None) -> None:
    """Ollama refuses the text `-1`, and takes the number."""
    assert ClientPolicy(keep_alive=given).kept() == sent


@pytest.mark.parametrize(
    ("size_bytes", "elapsed_s", "line"),
    [(4_900_000_000, 75.2, "loading m, 4.9 GB: 1 min 15 s"), (0, 2.0, "loading m: 2 s")],
    ids=["size known", "size unknown"],
)
def test_a_load_is_told_in_one_line(size_bytes: int, elapsed_s: float, line: str) -> None:
    """What, how big, how long."""
    told = CollectingSink()
    told.emit("model.loading", "m", seconds=elapsed_s, size_bytes=size_bytes)

    assert loading_line(told.events[0]) == line


def test_one_module_makes_the_official_client() -> None:
    """Everybody else talks to Ollama by the policy; the contract suite judges servers by the client as it is."""
    makers = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func)
        in {f"{module}.{kind}" for module in ("ollama", "library") for kind in ("Client", "AsyncClient")}
    }

    assert makers == {"llm/retrying.py", "contracts/llm/ask.py"}
