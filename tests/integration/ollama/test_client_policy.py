"""The client policy on a real Ollama: loads, vectors, texts over the context, interrupts, a model that dies."""

from __future__ import annotations

import math
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Thread
from typing import TYPE_CHECKING

import psutil
import pytest

from ragbed.errors import AnswerFailed, InputTooLong, ServiceMissing
from ragbed.events import CollectingSink
from ragbed.llm import ClientPolicy, OllamaSession
from ragbed.models import LiveServer
from ragbed.pipeline.embedding import CachedEmbedding
from ragbed.stack.watching import woken_by
from tiny_models.serving import serving, wait_until_unloaded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path


EMBEDDER, CHATTER = "made-minilm", "made-tiny"
POLICY = ClientPolicy(num_thread=1)
HELLO = [{"role": "user", "content": "What does a test prove?"}]
LINKS = 'see https://example.com/a/b?c=1&d=2 {"k": [1, 2, 3]} curl -X POST "http://localhost:8001/v1"; ' * 16
LONG_BATCH = """
import sys
from ragbed.models import LiveServer
from ragbed.llm import ClientPolicy, OllamaSession
with OllamaSession(sys.argv[1], ClientPolicy(num_thread=1)) as session:
    session.embed("made-minilm", ["word " * 150] * 200)
"""


class NoCache:
    """A cache that keeps nothing."""

    def get_many(self, keys: Sequence[str]) -> list[list[float] | None]:
        """Know nothing."""
        return [None] * len(keys)

    def put_many(self, vectors: Mapping[str, list[float]]) -> None:
        """Keep nothing."""

    def clear(self) -> None:
        """Have nothing to forget."""


class RealEmbedder:
    """The embedder of a pipeline, on one session."""

    def __init__(self, session: OllamaSession) -> None:
        self._session = session

    def digest(self) -> str:
        """Return any: nothing is cached."""
        return "d"

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one vector per text."""
        return self._session.embed(EMBEDDER, texts)


@pytest.fixture
def session(real_ollama: str) -> Iterator[OllamaSession]:
    """A session on the Ollama that the tests share."""
    with OllamaSession(real_ollama, POLICY) as client:
        yield client


@pytest.fixture
def own_log(tmp_path: Path) -> Path:
    """The log of the Ollama of a test's own."""
    return tmp_path / "ollama.log"


@pytest.fixture
def own_ollama(real_ollama_program: Path, tiny_models: Path, own_log: Path) -> Iterator[str]:
    """The URL of an Ollama of the test's own, to be disturbed."""
    with serving(real_ollama_program, tiny_models, own_log.parent) as url:
        yield url


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the cosine of two vectors."""
    return sum(a * b for a, b in zip(one, other, strict=True)) / (math.hypot(*one) * math.hypot(*other))


def runners(url: str) -> list[psutil.Process]:
    """Return the processes that hold the models of an Ollama."""
    port = int(url.rpartition(":")[2])
    servers = [
        child
        for child in psutil.Process().children()
        if any(one.laddr.port == port for one in child.net_connections() if one.status == "LISTEN")
    ]
    return [runner for server in servers for runner in server.children()]


def test_a_batch_gives_the_vectors_of_single_requests(session: OllamaSession) -> None:
    """A text's vector does not depend on what is sent beside it, and blank texts have vectors too."""
    texts = ["hello world", " ", "", "Ein Satz mit Umlauten: äöü", "x" * 200]

    together = session.embed(EMBEDDER, texts)
    alone = [session.embed(EMBEDDER, [text])[0] for text in texts]

    assert {len(vector) for vector in together} == {384}
    assert all(cosine(one, other) > 0.9999 for one, other in zip(together, alone, strict=True))


def test_threads_share_a_session(real_ollama: str) -> None:
    """Each gets the vectors of its own texts."""
    texts = [f"question number {number}" for number in range(12)]
    with OllamaSession(real_ollama, POLICY) as client, ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda text: client.embed(EMBEDDER, [text])[0], texts))

        alone = client.embed(EMBEDDER, texts)

    assert all(cosine(one, other) > 0.9999 for one, other in zip(together, alone, strict=True))


def test_a_text_over_the_context_is_refused_and_not_cut(session: OllamaSession) -> None:
    """Words or links: what the model cannot read whole gives no vector."""
    for text in ("word " * 600, LINKS):
        with pytest.raises(InputTooLong, match=f"{EMBEDDER} takes no text of this length"):
            session.embed(EMBEDDER, ["short", text])


def test_a_text_over_the_context_is_embedded_in_parts(session: OllamaSession) -> None:
    """Its end counts: with another one the vector is another."""
    embedding = CachedEmbedding(RealEmbedder(session), NoCache(), model=EMBEDDER)
    beginning = "The eviction policy decides what a full cache gives up. " * 60

    one, other, short = embedding.documents(
        [beginning + "Bread is baked in an oven. " * 20, beginning, "hello"], names=["one", "other", "short"]
    )

    assert embedding.counts.split == 2
    assert cosine(one, other) < 0.99
    assert cosine(short, session.embed(EMBEDDER, ["hello"])[0]) > 0.9999


def test_an_answer_is_the_same_for_the_same_seed(session: OllamaSession) -> None:
    """Greedy decoding repeats itself; counts and the reason of the end come with it."""
    options = {"temperature": 0, "seed": 7, "num_predict": 12}

    one, again = (session.chat(CHATTER, HELLO, options=options) for _ in range(2))

    assert one == again
    assert one.text.strip()
    assert one.prompt_tokens > 0
    assert one.answer_tokens == 12
    assert one.ended == "length"


def test_a_prompt_over_the_context_gives_no_answer(session: OllamaSession) -> None:
    """Ollama would cut it without a word, passages and all; the same prompt in a larger context is answered."""
    long = [{"role": "user", "content": "What does a test prove? " * 120}]

    with pytest.raises(AnswerFailed, match="no room for the whole prompt: its context is 1024 tokens"):
        session.chat(CHATTER, long, options={"num_ctx": 1024, "num_predict": 8})

    assert session.chat(CHATTER, long, options={"num_ctx": 4096, "num_predict": 8}).prompt_tokens > 1024


def test_a_load_is_told_with_the_size_that_the_server_lists(real_ollama: str) -> None:
    """An unloaded model is loaded by a request of its own, and that is told."""
    told = CollectingSink()
    policy = ClientPolicy(num_thread=1, tell_after_s=0.001, tell_every_s=0.01)
    with OllamaSession(real_ollama, policy, events=told) as client:
        client.unload(EMBEDDER, use="embed")
        wait_until_unloaded(real_ollama, "made-minilm:latest")

        client.load(EMBEDDER, use="embed")

    assert {event.subject for event in told.of("model.loading")} == {EMBEDDER}
    listed = LiveServer(real_ollama).models()["made-minilm:latest"]
    assert {event.data["size_bytes"] for event in told.events} == {listed.size_bytes}


@pytest.mark.parametrize("use", ["embed", "chat"])
def test_a_model_that_is_missing_says_how_to_get_it(session: OllamaSession, use: str) -> None:
    """Ollama's advice to pull it would fetch other bytes than the pinned ones."""
    with pytest.raises(ServiceMissing, match="has no model nosuch") as caught:
        session.embed("nosuch", ["a"]) if use == "embed" else session.chat("nosuch", HELLO)

    assert caught.value.hint == "ragbed models fetch --model nosuch:latest"


def test_an_embedding_model_answers_nothing(session: OllamaSession) -> None:
    """The refusal names the model and is the model's, not the server's."""
    with pytest.raises(AnswerFailed, match=f"{EMBEDDER} refused, .*does not support chat"):
        session.chat(EMBEDDER, HELLO)


def test_a_model_that_dies_is_asked_again(own_ollama: str) -> None:
    """Its process is killed while it computes: Ollama starts another, and the vectors come all the same."""
    vectors: list[list[float]] = []
    with OllamaSession(own_ollama, POLICY) as client:
        client.load(EMBEDDER, use="embed")
        (runner,) = runners(own_ollama)
        before = runner.cpu_times().user
        asking = Thread(target=lambda: vectors.extend(client.embed(EMBEDDER, ["word " * 150] * 60)))
        asking.start()
        wait_for_computing(runner, before)
        assert not vectors
        runner.kill()
        asking.join(120)

    assert [len(vector) for vector in vectors] == [384] * 60


def wait_for_computing(runner: psutil.Process, before: float) -> None:
    """Wait until a runner has used a tenth of a second of processor time since `before`."""
    deadline = time.monotonic() + 60
    while runner.cpu_times().user < before + 0.1:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_interrupt_stops_the_computing(own_ollama: str, own_log: Path) -> None:
    """Ctrl-C closes the connection, and Ollama drops the texts that it has not begun."""
    with OllamaSession(own_ollama, POLICY) as client:
        client.load(EMBEDDER, use="embed")
    (runner,) = runners(own_ollama)
    before = runner.cpu_times().user
    with (
        subprocess.Popen(
            [sys.executable, "-c", LONG_BATCH, own_ollama], stderr=subprocess.DEVNULL
        ) as process,
        woken_by(own_log, process.pid) as wait,
    ):
        wait_for_computing(runner, before)
        process.send_signal(signal.SIGINT)
        deadline = time.monotonic() + 30
        while "client closing the connection" not in own_log.read_text(errors="replace"):
            assert time.monotonic() < deadline
            wait(1)

    assert process.returncode == -signal.SIGINT
