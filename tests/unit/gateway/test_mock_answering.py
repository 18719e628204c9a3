"""Answers of the mock: quoted, cited, refused where the passages do not cover the question."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragbed.gateway.mock import DEFAULT_ANSWER, REFUSAL
from ragbed.gateway.mock.answering import answer

PASSAGES = (
    "Qdrant listens on port 6333 unless told otherwise. Its data lives in the storage folder.",
    "Postgres refuses to run as root. Use an unprivileged user or a user namespace.",
    "Valkey evicts keys once maxmemory is reached. The policy decides which keys go first.",
)


def ask(question: str, *passages: str, sources: tuple[str, ...] = ()) -> str:
    """Return a user message under the prompt contract."""
    names = sources or tuple(f"docs/{number}.md" for number in range(1, len(passages) + 1))
    blocks = [
        f"[{n}] {name}\n{text}\n" for n, (name, text) in enumerate(zip(names, passages, strict=True), 1)
    ]
    return "\n".join(["Passages:", *blocks, f"Question: {question}"])


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Which port does Qdrant listen on?", "Qdrant listens on port 6333 unless told otherwise. [1]"),
        ("Why does Postgres refuse to run as root?", "Postgres refuses to run as root. [2]"),
        ("When does Valkey evict keys?", "Valkey evicts keys once maxmemory is reached. [3]"),
    ],
    ids=["port", "root", "evict"],
)
def test_best_sentence_is_quoted_and_cited(question: str, expected: str) -> None:
    """The sentence that covers the question is quoted word for word, with its passage's number."""
    assert answer(ask(question, *PASSAGES)) == expected


def test_a_second_sentence_is_added_for_what_the_first_lacks() -> None:
    """A question about two things is answered from two passages, the better one first."""
    text = answer(
        ask("Which port does Qdrant listen on, and where does its data live?", *PASSAGES[0].split(". "))
    )

    assert re.findall(r"\[(\d)\]", text) == ["1", "2"]


def test_a_quoted_question_is_no_answer() -> None:
    """A passage that only repeats the question, as a list of test questions does, is not quoted."""
    question = "Why does Postgres refuse to start as root?"

    assert answer(ask(question, f"0.28 {question}", *PASSAGES)) == "Postgres refuses to run as root. [3]"


def test_at_most_three_sentences_are_quoted() -> None:
    """However many sentences match, three are quoted."""
    passages = [
        f"Here alpha beta gamma delta epsilon zeta {word}." for word in ("one", "red", "blue", "tall", "wide")
    ]

    text = answer(ask("alpha beta gamma delta epsilon zeta red blue tall wide", *passages))

    assert len(re.findall(r"\[\d\]", text)) == 3


@pytest.mark.parametrize(
    "question",
    [
        "Kubernetes pod autoscaling with KEDA",
        "What is the capital of France?",
        "Does Qdrant support Kafka?",
        "What is it?",
    ],
    ids=["off topic", "trivia", "near the topic", "no content words"],
)
def test_uncovered_question_is_refused(question: str) -> None:
    """Where no sentence covers enough of the question, the fixed refusal is given."""
    assert answer(ask(question, *PASSAGES)) == REFUSAL


@pytest.mark.parametrize(
    ("asked", "answered"),
    [("alpha beta gamma", False), ("alpha beta", False), ("alpha beta gamma alphas", False), ("alpha", True)],
    ids=["one of three", "one of two", "one of three, repeated", "one of one"],
)
def test_threshold_is_a_share_of_the_questions_weight(asked: str, answered: bool) -> None:
    """A sentence must cover 55 % of the weight; a word that no passage holds weighs more than one that is held."""
    assert (answer(ask(asked, "Here is alpha.", "Nothing.")) != REFUSAL) is answered


def test_heading_in_the_header_counts_as_context() -> None:
    """A sentence need not repeat the subject that its passage's header names."""
    text = answer(
        ask(
            "What is the default port of Qdrant?",
            "The default port is 6333.",
            sources=("a.md — Qdrant > Ports",),
        )
    )

    assert text == "The default port is 6333. [1]"


def test_without_passages_the_default_text_is_given() -> None:
    """A message that is not under the contract gets the default answer."""
    assert answer("Tell me a story.") == DEFAULT_ANSWER


def test_no_passages_under_the_contract_are_a_refusal() -> None:
    """A retrieval that found nothing is answered by the refusal, not by the default text."""
    assert answer(ask("Which port does Qdrant listen on?")) == REFUSAL


def test_repeated_sentence_is_quoted_once() -> None:
    """Overlapping chunks do not double an answer."""
    text = answer(ask("Why does Postgres refuse to run as root?", PASSAGES[1], PASSAGES[1]))

    assert text == "Postgres refuses to run as root. [1]"


@pytest.mark.parametrize(
    ("question", "citations"),
    [("Which port does Qdrant listen on?", [1]), ("What is the capital of France?", [])],
    ids=["answered", "refused"],
)
def test_json_answer_names_its_citations(question: str, citations: list[int]) -> None:
    """Asked for JSON, the same answer comes as an object with the passages it cites."""
    message = ask(question, *PASSAGES)

    assert json.loads(answer(message, as_json=True)) == {"answer": answer(message), "citations": citations}


@given(question=st.text(max_size=60), passages=st.lists(st.text(max_size=120), max_size=4))
def test_every_quote_is_verbatim_and_every_citation_exists(question: str, passages: list[str]) -> None:
    """Whatever is asked, an answer only cites passages given and is the same when asked again."""
    message = ask(question, *passages)
    text = answer(message)

    assert text == answer(message)
    assert {int(number) for number in json.loads(answer(message, as_json=True))["citations"]} <= set(
        range(1, len(passages) + 1)
    )
