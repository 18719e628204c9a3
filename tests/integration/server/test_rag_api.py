"""`ragbed serve` on a real stack: what its clients see, and what they see when something is wrong."""

from __future__ import annotations

import json
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
import psycopg
import pytest

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

    from ragbed_command import RagbedCommand

DOCUMENT = """\
---
lesson_type: {kind}
---
# {title}

{text}
"""
LESSONS = {
    "root.md": (
        "troubleshooting",
        "Postgres refuses root",
        "Postgres does not start as root: take another user.",
    ),
    "cache.md": ("concept", "What a cache keeps", "The embedding cache keeps vectors for thirty days."),
}


@contextmanager
def serving(command: RagbedCommand, *words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `ragbed serve` on a free port; yield the process and its URL."""
    with command.popen("serve", "--port", "0", *words) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().split()[-1]
        finally:
            process.send_signal(signal.SIGTERM)


@pytest.fixture(scope="module")
def ingested(ragbed_up: RagbedCommand) -> RagbedCommand:
    """A stack that holds two lessons."""
    lessons = ragbed_up.folder / "lessons"
    lessons.mkdir()
    for name, (kind, title, text) in LESSONS.items():
        (lessons / name).write_text(DOCUMENT.format(kind=kind, title=title, text=text), encoding="utf-8")
    done = ragbed_up.run("ingest", str(lessons))
    assert done.returncode == 0, done.stderr
    return ragbed_up


@pytest.fixture(scope="module")
def api(ingested: RagbedCommand) -> Iterator[httpx.Client]:
    """A client of the RAG API on those lessons."""
    with serving(ingested) as (_, url), httpx.Client(base_url=url, timeout=30) as client:
        yield client


def test_health_names_every_service(api: httpx.Client, ingested: RagbedCommand) -> None:
    """A process manager learns that all answer, and a reader what is not real."""
    substitutes = [one["product"] for one in ingested.json("status")["services"] if not one["real"]]

    answer = api.get("/health")

    assert (answer.status_code, answer.json()) == (
        200,
        {
            "status": "ok",
            "services": dict.fromkeys(("postgres", "redis", "qdrant", "ollama"), "ready"),
            "substitutes": substitutes,
        },
    )
    assert "mock-llm" in substitutes


@pytest.mark.parametrize("path", ["/api/retrieve", "/api/v1/retrieve"])
def test_retrieval_gives_the_best_passage_first(api: httpx.Client, path: str) -> None:
    """The two paths answer the same."""
    answer = api.post(path, json={"question": "Why does Postgres not start as root?", "top_k": 1})

    assert [passage["document"] for passage in answer.json()["passages"]] == ["root.md"]


def test_a_filter_keeps_other_documents_out(api: httpx.Client) -> None:
    """What the filter excludes is not found, however well it fits."""
    body = {"question": "Why does Postgres not start as root?", "filters": {"lesson_type": "concept"}}

    answer = api.post("/api/retrieve", json=body)

    assert {passage["document"] for passage in answer.json()["passages"]} == {"cache.md"}


@pytest.mark.parametrize("name", ["question", "query", "message"])
def test_the_question_goes_by_the_usual_names(api: httpx.Client, name: str) -> None:
    """Load tools and chat pages of others need no change."""
    answer = api.post("/api/chat", json={name: "How long does the embedding cache keep vectors?"})

    assert [citation["document"] for citation in answer.json()["citations"]] == ["cache.md"]


QUESTION = "How long does the embedding cache keep vectors?"
STREAM = {"accept": "text/event-stream"}


def frames(answer: httpx.Response) -> list[tuple[str, dict[str, Any]]]:
    """Return the events of a stream: kind and value."""
    parts = [part.split("\n") for part in answer.text.removesuffix("\n\n").split("\n\n")]
    return [(kind.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for kind, data in parts]


@pytest.mark.parametrize(
    ("body", "headers"), [({"stream": True}, {}), ({}, STREAM)], ids=["by the body", "by its Accept"]
)
def test_a_chat_is_streamed_where_that_is_asked_for(
    api: httpx.Client, body: dict[str, bool], headers: dict[str, str]
) -> None:
    """The text comes in pieces, and then the answer that a whole one would have been."""
    whole = api.post("/api/chat", json={"question": QUESTION}).json()

    answer = api.post("/api/chat", json={"question": QUESTION, **body}, headers=headers)

    *pieces, (kind, last) = frames(answer)
    assert (answer.status_code, answer.headers["content-type"], kind) == (
        200,
        "text/event-stream; charset=utf-8",
        "answer",
    )
    assert {kind for kind, _ in pieces} == {"text"}
    assert len(pieces) > 1
    assert "".join(piece["text"] for _, piece in pieces).strip() == last["text"] == whole["text"]
    assert last.keys() == whole.keys()
    assert (last["citations"], last["substitutes"]) == (whole["citations"], whole["substitutes"])


def test_the_body_counts_before_the_accept_header(api: httpx.Client) -> None:
    """A browser's stream of events may still ask for the whole."""
    answer = api.post("/api/chat", json={"question": QUESTION, "stream": False}, headers=STREAM)

    assert answer.json()["answered"] is True


def test_what_fails_before_the_first_word_has_its_status(api: httpx.Client) -> None:
    """Nothing was sent yet: it is the answer of any other call."""
    answer = api.post("/api/chat", json={"question": "  ", "stream": True})

    assert (answer.status_code, answer.json()["error"]) == (400, "the question is empty")


def test_a_client_that_leaves_a_stream_takes_nothing_along(api: httpx.Client) -> None:
    """More of them than there are pipelines: each is free again for the next request."""
    for _ in range(6):
        with api.stream("POST", "/api/chat", json={"question": QUESTION, "stream": True}) as answer:
            next(answer.iter_lines())

    assert api.post("/api/chat", json={"question": QUESTION}).json()["answered"] is True


def test_calls_of_a_request_belong_to_its_run(api: httpx.Client, ingested: RagbedCommand) -> None:
    """The headers of a client come through to the mock's journal."""
    run, test = "20260102-030405-abcdef", "tests/test_a.py::test_b[ü]"
    headers = {"X-Ragbed-Run": run, "X-Ragbed-Test": quote(test)}

    api.post("/api/chat", json={"question": QUESTION}, headers=headers)

    mock = next(one["url"] for one in ingested.json("status")["services"] if one["name"] == "ollama")
    calls = httpx.get(f"{mock}/ragbed/calls", params={"run": run}).json()["calls"]
    assert "chat" in {call["operation"] for call in calls}
    assert {call["test"] for call in calls} == {test}


def test_what_is_not_covered_becomes_a_gap(api: httpx.Client) -> None:
    """RetryingClient saves the gap, and the list of gaps shows it."""
    question = "Kubernetes pod autoscaling with KEDA"

    answer = api.post("/api/chat", json={"question": question}).json()

    listed = {gap["id"]: gap["question"] for gap in api.get("/api/gaps").json()["gaps"]}
    assert listed[answer["gap"]["id"]] == question


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"", 400, "the body is not a valid request: the body: Invalid JSON"),
        (b"[]", 400, "the body is not a valid request: the body: Input should be an object"),
        (b"{}", 400, "the body is not a valid request: question: Field required"),
        (b'{"question": "x", "topk": 3}', 400, "the body is not a valid request: topk: Extra inputs"),
        (
            b'{"question": "x", "top_k": 0}',
            400,
            "the body is not a valid request: top_k: Input should be greater",
        ),
        (
            b'{"question": "x", "top_k": true}',
            400,
            "the body is not a valid request: top_k: Input should be a valid",
        ),
        (b'{"question": "  "}', 400, "the question is empty"),
        (b'{"question": "x", "filters": {"colour": "red"}}', 400, "colour"),
        (b'{"question": "' + b"x" * 1_000_001 + b'"}', 400, "the body is longer than 1,000,000 bytes"),
    ],
    ids=["empty", "list", "no question", "typo", "zero", "no number", "blank", "unknown field", "too long"],
)
def test_a_wrong_body_is_refused_in_words(api: httpx.Client, body: bytes, status: int, message: str) -> None:
    """The client learns what is wrong; nothing reaches the models."""
    answer = api.post("/api/retrieve", content=body)

    assert answer.status_code == status
    assert message in answer.json()["error"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/api/chat", 405), ("POST", "/health", 405), ("GET", "/nothing", 404)],
)
def test_an_unknown_call_is_refused_as_json(api: httpx.Client, method: str, path: str, status: int) -> None:
    """A client that parses every answer need not guess."""
    answer = api.request(method, path)

    assert (answer.status_code, list(answer.json())) == (status, ["error"])


def test_many_clients_are_answered_at_once(api: httpx.Client) -> None:
    """More requests than pipelines wait for their turn, and all are right."""
    with ThreadPoolExecutor(max_workers=16) as pool:
        answers = pool.map(
            lambda _: api.post("/api/retrieve", json={"question": "embedding cache", "top_k": 1}), range(48)
        )

    bodies = [answer.json() for answer in answers]
    assert [body["error"] for body in bodies if "error" in body] == []
    assert {body["passages"][0]["document"] for body in bodies} == {"cache.md"}


def test_metrics_count_answers_by_status(ingested: RagbedCommand) -> None:
    """A request that was refused is counted apart from one that was answered."""
    with serving(ingested) as (_, url):
        httpx.post(f"{url}/api/retrieve", json={"question": "embedding cache"}, timeout=30)
        httpx.post(f"{url}/api/retrieve", json={})

        lines = httpx.get(f"{url}/metrics").text.splitlines()

    counted = {line for line in lines if line.startswith("ragbed_requests_total")}
    assert counted == {
        'ragbed_requests_total{method="POST",path="/api/retrieve",status="200"} 1',
        'ragbed_requests_total{method="POST",path="/api/retrieve",status="400"} 1',
    }


def test_an_empty_namespace_says_what_to_do(ingested: RagbedCommand) -> None:
    """A question before the first ingest is a conflict, and no server error."""
    with serving(ingested, "--namespace", "nothing_here") as (_, url):
        answer = httpx.post(f"{url}/api/chat", json={"question": "anything?"}, timeout=30)

    assert (answer.status_code, answer.json()["hint"]) == (409, "ragbed ingest FOLDER")


def test_a_cut_connection_costs_one_request(ingested: RagbedCommand) -> None:
    """When Postgres ends a session, the request on it fails and the next one has a new session."""
    question = {"question": "embedding cache"}
    with serving(ingested) as (_, url), httpx.Client(base_url=url, timeout=30) as client:
        for _ in range(4):  # every pipeline of the pool has its session
            client.post("/api/retrieve", json=question).raise_for_status()
        with psycopg.connect(ingested.urls()["DATABASE_URL"], autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'ragbed' AND pid <> pg_backend_pid()"
            )

        codes = [client.post("/api/retrieve", json=question).status_code for _ in range(8)]

    assert codes == [503] * 4 + [200] * 4


def test_it_ends_at_once_and_with_0(ingested: RagbedCommand) -> None:
    """A process manager's SIGTERM is an ordinary end, and says nothing more."""
    with serving(ingested) as (process, _):
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=10)

    assert (process.returncode, said) == (0, "")


@pytest.fixture
def stopped(make_ragbed: Callable[..., RagbedCommand]) -> RagbedCommand:
    """A project whose stack is down."""
    return make_ragbed()


def test_without_a_stack_it_says_how_to_start_one(stopped: RagbedCommand) -> None:
    """Nothing is started behind the user's back."""
    done = stopped.run("serve", "--port", "0")

    assert (done.returncode, "ragbed up" in done.stderr) == (10, True)


def test_production_is_refused(ingested: RagbedCommand) -> None:
    """The API saves gaps, so it does not run where tests must not write."""
    done = ingested.run("serve", "--port", "0", APP_ENV="production")

    assert done.returncode == 13


def test_answers_are_one_json_document(api: httpx.Client) -> None:
    """The type says so, whatever the answer."""
    answer = api.get("/health")

    assert (answer.headers["content-type"], json.loads(answer.content)) == ("application/json", answer.json())
