"""Generated requests, after the OpenAPI description: each is answered, in the envelope, without a server's error."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemathesis import Case

DESCRIPTION = Path(__file__).parents[2] / "python" / "ragbed" / "qdrant" / "openapi.json"

EXAMPLES = int(os.environ.get("RAGBED_EXAMPLES", "10"))
"""Requests per call; a soak asks for more."""

TIMEOUT_S = 20
NAME = "generated"
_LATE = {"size": 2, "distance": "Dot", "multivector_config": {"comparator": "max_sim"}}
COLLECTION = {
    "vectors": {"dense": {"size": 2, "distance": "Cosine"}, "late": _LATE},
    "sparse_vectors": {"words": {}},
}
POINTS = {
    "points": [
        {
            "id": n,
            "vector": {
                "dense": [1.0, n],
                "late": [[1.0, n], [n, 1.0]],
                "words": {"indices": [n], "values": [1.0]},
            },
            "payload": {"n": n, "kind": "ab"[n % 2]},
        }
        for n in range(1, 6)
    ]
}
CHECKED = [status_code_conformance, content_type_conformance, response_schema_conformance]


def operations() -> list[Any]:
    """Return every call that is described; its collection is one that is there, or one that is not."""
    description = json.loads(DESCRIPTION.read_bytes())
    for path in description["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", []):
                if parameter["name"] == "name":
                    parameter["schema"] = {"enum": [NAME, NAME, "absent"]}
    return [found.ok() for found in schemathesis.openapi.from_dict(description).get_all_operations()]


@pytest.fixture(scope="session")
def http(url: str) -> Iterator[httpx.Client]:
    """A client that gives up on a call that hangs."""
    with httpx.Client(base_url=url, timeout=TIMEOUT_S) as client:
        yield client


@pytest.fixture(scope="session")
def memory_mb(server: Any, http: httpx.Client) -> float:
    """What the server holds after its first collection, before the generated requests."""
    ensure_collection(http)
    return float(server.memory_mb())


@pytest.fixture(scope="session")
def session() -> Iterator[requests.Session]:
    """What the generated requests are sent by."""
    with requests.Session() as opened:
        yield opened


def ensure_collection(http: httpx.Client) -> None:
    """Make the collection again when a request has deleted it."""
    if not http.get(f"/collections/{NAME}/exists").json()["result"]["exists"]:
        http.put(f"/collections/{NAME}", json=COLLECTION).raise_for_status()
        http.put(f"/collections/{NAME}/points?wait=true", json=POINTS).raise_for_status()
        index = {"field_name": "n", "field_schema": "integer"}
        http.put(f"/collections/{NAME}/index?wait=true", json=index).raise_for_status()


@pytest.mark.parametrize("operation", operations(), ids=lambda operation: operation.label)
def test_call_is_answered(
    operation: Any, http: httpx.Client, session: requests.Session, memory_mb: float
) -> None:
    """No 5xx but 501, within the time, as described."""

    @given(case=operation.as_strategy())
    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @seed(1)
    def check(case: Case) -> None:
        ensure_collection(http)
        answer = case.call(base_url=str(http.base_url), timeout=TIMEOUT_S, session=session)
        assert answer.status_code < 500 or answer.status_code == 501, answer.text
        case.validate_response(answer, checks=CHECKED)

    check()


def test_server_is_well_afterwards(server: Any, http: httpx.Client) -> None:
    """Ready, and its collections answer."""
    ensure_collection(http)

    assert http.get("/readyz").status_code == 200
    assert http.post(f"/collections/{NAME}/points/count", json={}).status_code == 200


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="what a process holds of its own is read from /proc")
def test_server_has_kept_little_memory(server: Any, memory_mb: float) -> None:
    """No more than 50 MB more than before, the collections that are there included."""
    assert server.memory_mb() - memory_mb < 50
