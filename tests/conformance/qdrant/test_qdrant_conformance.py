"""Every call of the client, and requests below it, give what was recorded, or differ as the page says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import orjson
import pytest

from ragbed.contracts.vector_store.cases_http import REQUESTS, Request
from ragbed.contracts.vector_store.expectations import differences, expected, recorded
from ragbed.contracts.vector_store.outcome import alike, comparable, message_of
from ragbed.contracts.vector_store.run import run_case, send
from ragbed.contracts.vector_store.suite import EXCEPTED, cases, parameters, public_methods

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qdrant_client import QdrantClient

    from ragbed.contracts.vector_store.case import Case

CASES = cases()


@pytest.fixture(scope="session")
def http(url: str, client: QdrantClient) -> Iterator[httpx.Client]:
    """A plain HTTP client; the library is there."""
    with httpx.Client(base_url=url, timeout=30) as connected:
        yield connected


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_call_gives_what_was_recorded(
    case: Case, url: str, client: QdrantClient, *, substitute: bool
) -> None:
    """Result or refusal, and what is read afterwards."""
    found = run_case(url, client, case)

    assert alike(comparable(found), expected(case.id, embedded=substitute)), found
    message = found[0].get("message", "").lower()
    assert found[0].get("error", 501) == 501 or all(word.lower() in message for word in case.says), message


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_asynchronous_call_gives_the_same(
    case: Case, url: str, client: QdrantClient, *, substitute: bool
) -> None:
    """Both clients are served alike."""
    found = run_case(url, client, case, asynchronous=True)

    assert alike(comparable(found), expected(case.id, embedded=substitute)), found


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: request.rule)
def test_request_is_answered_as_expected(request_: Request, http: httpx.Client, *, substitute: bool) -> None:
    """By its status, and by the words of a message."""
    answer = send(http, request_)

    assert [{"error": answer.status_code}] == expected(f"http: {request_.rule}", embedded=substitute)
    assert answer.status_code == 501 or all(w in message_of(answer.content).lower() for w in request_.says)


@pytest.mark.parametrize(
    "request_",
    [one for one in REQUESTS if one.status >= 400 and one.status != 404],
    ids=lambda request: request.rule,
)
def test_refusal_has_the_envelope(request_: Request, http: httpx.Client) -> None:
    """`status.error` is text, `time` a number, and there is no result."""
    answer = orjson.loads(send(http, request_).content)

    assert isinstance(answer["status"]["error"], str)
    assert isinstance(answer["time"], float)


def test_every_public_method_has_a_case_or_a_reason() -> None:
    """A new release of the client shows up here."""
    covered = {case.step.method for case in CASES}

    assert set(public_methods()) == covered
    assert not covered & set(EXCEPTED)


@pytest.mark.parametrize("method", public_methods())
def test_every_parameter_is_given_in_a_case(method: str) -> None:
    """Also those that change nothing on one server."""
    given = {
        "collection_name",
        *(name for c in CASES if c.step.method == method for name in c.step.arguments),
    }

    assert set(parameters(method)) - given == set()


def test_rules_are_unique() -> None:
    """A recorded outcome belongs to one case."""
    ids = [*(case.id for case in CASES), *(f"http: {request.rule}" for request in REQUESTS)]

    assert len(ids) == len(set(ids))
    assert set(ids) == set(recorded())


def test_every_difference_differs_and_says_how() -> None:
    """What has become the same is taken off the list."""
    known = differences()

    assert [case for case, one in known.items() if alike(one.outcomes, recorded().get(case))] == []
    assert [case for case, one in known.items() if not one.how and not one.is_refused] == []


def test_no_request_expects_another_status_than_was_recorded() -> None:
    """The table is what a reader sees; the recording is what a server did."""
    assert {r.rule: r.status for r in REQUESTS} == {
        r.rule: recorded()[f"http: {r.rule}"][0]["error"] for r in REQUESTS
    }
