"""The OpenAPI description is the server's own table, and the server hands it out."""

from __future__ import annotations

import httpx
import orjson
import pytest
from qdrant_conformance.openapi import BODIES, DESCRIPTION, text

from ragbed.qdrant.calls.endpoints import ENDPOINTS


def test_description_is_up_to_date() -> None:
    """`scripts/openapi-qdrant` writes it anew."""
    assert DESCRIPTION.read_text() == text()


def test_every_endpoint_is_described() -> None:
    """By path and method."""
    paths = orjson.loads(DESCRIPTION.read_bytes())["paths"]

    assert [one.path for one in ENDPOINTS if one.method.lower() not in paths[one.path]] == []


def test_bodies_belong_to_endpoints() -> None:
    """No body is written down for a call that is not served."""
    assert set(BODIES) - {(one.method, one.path) for one in ENDPOINTS} == set()


def test_server_hands_out_the_description(url: str, *, substitute: bool) -> None:
    """At `/openapi.json`, which a real server has not."""
    if not substitute:
        pytest.skip("a real server has no such path")

    assert httpx.get(f"{url}/openapi.json").content == DESCRIPTION.read_bytes()
