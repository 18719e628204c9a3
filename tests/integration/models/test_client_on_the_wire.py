"""The client policy against servers that are slow, busy, cut off, silent or wrong."""

from __future__ import annotations

import signal
import subprocess
import sys
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest
from scripted_ollama import (
    SIZE,
    Script,
    after,
    answers,
    cut,
    cut_in_stream,
    endless,
    following,
    piece,
    pieces,
    silent,
    silent_in_stream,
)

from ragbed.cli.events import loading_line
from ragbed.errors import AnswerFailed, EmbeddingFailed, InputTooLong, ServiceMissing, ServiceNotReady
from ragbed.events import CollectingSink, EventStream
from ragbed.llm import ClientPolicy, OllamaSession

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ragbed.errors import RagbedError

EMBED, CHAT = "/api/embed", "/api/chat"
HELLO = [{"role": "user", "content": "hello"}]
INTERRUPTED = """
import sys
from ragbed.llm import OllamaSession
session = OllamaSession(sys.argv[1])
session.embed("m", ["a"]) if sys.argv[2] == "embed" else session.chat("m", [{"role": "user", "content": "a"}])
"""


@pytest.fixture
def script() -> Iterator[Script]:
    """A server that follows what the test writes into its script."""
    script = Script()
    with following(script):
        yield script


def session(script: Script, **numbers: Any) -> OllamaSession:
    """Return a session that waits for hardly anything between repeats."""
    return OllamaSession(script.url, ClientPolicy(**{"pauses_s": (0.01, 0.01), **numbers}))


def embed(script: Script, **numbers: Any) -> list[list[float]]:
    """Embed one text."""
    with session(script, **numbers) as client:
        return client.embed("m", ["a"])


def chat(script: Script, **numbers: Any) -> str:
    """Ask one question."""
    with session(script, **numbers) as client:
        return client.chat("m", HELLO).text


def test_a_load_may_take_longer_than_a_request(script: Script) -> None:
    """The time-out of embedding does not end a load, whose progress is told with the model's size."""
    gate, told = Event(), CollectingSink()
    told.listen(lambda _: gate.set())
    script.steps["load"] = [after(gate)]

    policy = ClientPolicy(embed_s=1.0, tell_after_s=1.2)
    with OllamaSession(script.url, policy, events=told) as client:
        assert client.embed("m", ["a"]) == [[3.0, 4.0]]

    first = told.of("model.loading")[0]
    assert (first.subject, first.data["size_bytes"]) == ("m", SIZE)
    assert loading_line(first).startswith("loading m, 4.9 GB: ")


def test_a_quick_load_is_not_told(script: Script) -> None:
    """Nobody reads of a model that is there already."""
    told = CollectingSink()
    with OllamaSession(script.url, events=told) as client:
        client.load("m", use="chat")

    assert told.events == []


@pytest.mark.parametrize(
    ("step", "ask", "phase", "setting"),
    [
        pytest.param("load", partial(embed, load_s=0.1), "loading m", "llm.load_timeout_s", id="load"),
        pytest.param(
            EMBED, partial(embed, embed_s=0.1), "embedding a text by m", "embedding.timeout_s", id="embed"
        ),
        pytest.param(
            CHAT,
            partial(chat, first_token_s=0.1),
            "an answer by m",
            "llm.first_token_timeout_s",
            id="first token",
        ),
    ],
)
def test_silence_ends_with_the_time_out_of_its_phase(
    script: Script, step: str, ask: Callable[..., object], phase: str, setting: str
) -> None:
    """The error names the phase and its setting; the server was given its time, and is not asked again."""
    script.steps[step] = [silent]

    with pytest.raises(ServiceNotReady, match=rf"said nothing for 0\.1 s: {phase}") as caught:
        ask(script)

    assert caught.value.hint == f"raise {setting}"
    assert script.left.wait(20)
    assert len(script.loads()) + len(script.contents(EMBED)) + len(script.contents(CHAT)) <= 2


@pytest.mark.parametrize(("path", "ask"), [(EMBED, embed), (CHAT, chat)], ids=["embed", "chat"])
def test_a_busy_server_is_asked_again(script: Script, path: str, ask: Callable[..., object]) -> None:
    """A full queue means that nothing has begun."""
    script.steps[path] = [answers(503, {"error": "server busy"})] * 2

    assert ask(script)
    assert len(script.contents(path)) == 3


def test_a_server_that_stays_busy_is_named_so(script: Script) -> None:
    """Repeats come to an end."""
    script.steps[EMBED] = [answers(503, {"error": "server busy, please try again"})] * 9

    with pytest.raises(ServiceNotReady, match="too busy for embedding a text by m: server busy"):
        embed(script)
    assert len(script.contents(EMBED)) == 3


def test_a_server_that_comes_up_is_waited_for() -> None:
    """A refused connection is tried again while Ollama starts."""
    script = Script()
    with following(script, listening=False) as listen:
        policy = ClientPolicy(pauses_s=(0.05,) * 200, tell_after_s=0.05)
        with OllamaSession(script.url, policy, events=EventStream(lambda _: listen())) as client:
            assert client.embed("m", ["a"]) == [[3.0, 4.0]]


def test_nobody_at_home_is_an_error() -> None:
    """The address is in the message, its password is not."""
    script = Script()
    with following(script, listening=False):
        script.url = script.url.replace("//", "//user:secret@")
        with pytest.raises(
            ServiceMissing, match="did not finish loading m: the connection was refused"
        ) as caught:
            embed(script)

    assert "secret" not in caught.value.render()


def test_embeddings_are_asked_again_when_the_connection_breaks(script: Script) -> None:
    """They do no harm twice."""
    script.steps[EMBED] = [cut, cut]

    assert embed(script) == [[3.0, 4.0]]
    assert len(script.contents(EMBED)) == 3


@pytest.mark.parametrize("step", [cut, cut_in_stream], ids=["before the first piece", "after it"])
def test_an_answer_that_breaks_off_is_not_asked_for_again(script: Script, step: Callable[..., None]) -> None:
    """Two halves are no answer."""
    script.steps[CHAT] = [step]

    with pytest.raises(ServiceNotReady, match="broke off an answer by m"):
        chat(script)
    assert len(script.contents(CHAT)) == 1


def test_an_answer_that_stops_half_way_ends(script: Script) -> None:
    """The silence after the first piece is bounded, and the server is let go."""
    script.steps[CHAT] = [silent_in_stream]

    with pytest.raises(ServiceNotReady, match=r"said nothing for 0\.2 s: an answer by m"):
        chat(script, first_token_s=0.2)
    assert script.left.wait(20)


def test_an_answer_without_end_is_ended(script: Script) -> None:
    """The whole answer has a time-out of its own, and the server is told to stop while the session goes on."""
    script.steps[CHAT] = [endless]

    with session(script, answer_s=1.0) as client:
        with pytest.raises(ServiceNotReady, match="did not come to an end for 1 s") as caught:
            client.chat("m", HELLO)
        assert script.left.wait(20)

    assert caught.value.hint == "raise llm.answer_timeout_s"


@pytest.mark.parametrize("what", ["embed", "chat"])
def test_an_interrupt_reaches_the_server(script: Script, what: str) -> None:
    """Ctrl-C closes the connection, which is how Ollama learns to stop."""
    script.steps["/api/" + what] = [silent]
    command = [sys.executable, "-c", INTERRUPTED, script.url, what]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        while not script.contents("/api/" + what):
            assert script.called.wait(60)
            script.called.clear()
        process.send_signal(signal.SIGINT)

        assert script.left.wait(20)
    assert process.returncode == -signal.SIGINT


@pytest.mark.parametrize("path", [EMBED, CHAT, "load"])
def test_a_missing_model_says_how_to_get_it(script: Script, path: str) -> None:
    """One hint in every room, whoever notices."""
    script.steps[path] = [answers(404, {"error": "model 'm' not found"})]

    with pytest.raises(ServiceMissing, match=r"Ollama at http://127\S+ has no model m") as caught:
        (chat if path == CHAT else embed)(script)
    assert caught.value.hint == "ragbed models fetch --model m:latest"


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        pytest.param(
            (400, {"error": "the input length exceeds the context length"}),
            InputTooLong,
            "m takes no text of this length",
            id="too long",
        ),
        pytest.param((400, {"error": "invalid"}), EmbeddingFailed, "m refused, .*: invalid", id="declined"),
        pytest.param(
            (400, {"error": {"message": "invalid", "code": 400}}),
            EmbeddingFailed,
            "m refused, .*invalid",
            id="declined by another server",
        ),
        pytest.param((200, b"<html>"), EmbeddingFailed, "gave no answer that can be read", id="no JSON"),
        pytest.param((200, []), EmbeddingFailed, "gave no answer that can be read", id="a list"),
        pytest.param((200, {"embeddings": []}), EmbeddingFailed, "0 vectors for 1 texts", id="none"),
    ],
)
def test_what_is_no_embedding_is_an_error(
    script: Script, answer: tuple[int, object], kind: type[RagbedError], message: str
) -> None:
    """Whatever comes, it becomes one of our errors, and is not asked for again."""
    script.steps[EMBED] = [answers(*answer)]

    with pytest.raises(kind, match=message):
        embed(script)
    assert len(script.contents(EMBED)) == 1


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        pytest.param((500, {"error": "no luck"}), "m refused, an answer by m: no luck", id="refused"),
        pytest.param((200, b"[1]\n"), "gave no answer that can be read", id="a list in the stream"),
        pytest.param((200, piece("a") + b'{"error": "no luck"}\n'), "no luck", id="an error in the stream"),
        pytest.param((200, pieces("a", "b")), "ended before the answer did", id="no last piece"),
        pytest.param((200, b""), "ended before the answer did", id="no piece"),
    ],
)
def test_what_is_no_answer_is_an_error(script: Script, answer: tuple[int, object], message: str) -> None:
    """Half an answer is never given out as one."""
    script.steps[CHAT] = [answers(*answer)]

    with pytest.raises(AnswerFailed, match=message):
        chat(script)
    assert len(script.contents(CHAT)) == 1


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, 'do embedding request: Post "http://127.0.0.1:1/embedding": EOF'),
        (400, "llama runner process no longer running: -1 "),
        (500, "llama runner process has terminated: signal: killed"),
    ],
)
def test_embeddings_are_asked_again_when_the_model_dies(script: Script, status: int, said: str) -> None:
    """Ollama starts another process for it with the next request."""
    script.steps[EMBED] = [answers(status, {"error": said})]

    assert embed(script) == [[3.0, 4.0]]


def test_every_request_carries_the_policy(script: Script) -> None:
    """Nothing is cut, and a load has the options of what follows: with others Ollama would load again."""
    with session(script, num_thread=1, keep_alive="10m") as client:
        client.embed("m", ["a"])
        client.chat("m", HELLO, options={"seed": 7, "num_ctx": 512})

    assert [body["truncate"] for body in script.contents(EMBED)] == [False]
    assert {body["keep_alive"] for _, body in script.asked} == {"10m"}
    assert [body["options"] for _, body in script.asked] == [
        {"num_thread": 1},
        {"num_thread": 1},
        {"num_thread": 1, "num_ctx": 512},
        {"num_thread": 1, "seed": 7, "num_ctx": 512},
    ]


def test_a_model_in_use_is_not_loaded_again(script: Script) -> None:
    """The load is asked for once, and again after another model had its turn: there may be room for one."""
    with session(script) as client:
        client.embed("m", ["a"])
        client.embed("m", ["b"])
        client.chat("n", HELLO)
        client.embed("m", ["c"])

    assert [body["model"] for body in script.loads()] == ["m", "n", "m"]


def test_texts_go_in_batches_of_bounded_size(script: Script) -> None:
    """Every text is sent once, in order, whatever the number of requests."""
    texts = [f"{number:03}" for number in range(10)]
    with session(script, batch_texts=4) as client:
        assert len(client.embed("m", texts)) == 10

    sent = [body["input"] for body in script.contents(EMBED)]
    assert [len(batch) for batch in sent] == [4, 4, 2]
    assert [text for batch in sent for text in batch] == texts


def test_unloading_keeps_nothing_alive(script: Script) -> None:
    """What was unloaded is loaded again by the next request."""
    with session(script) as client:
        client.embed("m", ["a"])
        client.unload("m", use="embed")
        client.embed("m", ["b"])

    assert [body.get("keep_alive") for body in script.loads()] == [None, 0, None]
