"""Run the whole suite against one server: every case by either client, every request."""

from __future__ import annotations

import asyncio
import warnings
from typing import TYPE_CHECKING, Any

import httpx
from qdrant_client import AsyncQdrantClient, QdrantClient

from ragbed.contracts.vector_store.cases_http import REQUESTS
from ragbed.contracts.vector_store.outcome import message_of, outcomes, plain
from ragbed.contracts.vector_store.suite import cases
from ragbed.contracts.vector_store.worlds import library, world

if TYPE_CHECKING:
    from ragbed.contracts.vector_store.case import Case
    from ragbed.contracts.vector_store.cases_http import Request
    from ragbed.contracts.vector_store.outcome import Outcome

TIMEOUT_S = 60


def connect(url: str, api_key: str | None = None) -> QdrantClient:
    """Return the sync client."""
    return QdrantClient(url=url, api_key=api_key, check_compatibility=False, timeout=TIMEOUT_S)


def run_case(
    url: str,
    client: QdrantClient,
    case: Case,
    *,
    asynchronous: bool = False,
    api_key: str | None = None,
) -> list[Outcome]:
    """Run one case in a world of its own; the library must be there."""
    caller = connect(url, api_key) if case.step.method == "close" else client
    with world(client, case.world), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return asyncio.run(_async(url, case) if asynchronous else outcomes(caller, case))


async def _async(url: str, case: Case) -> list[Outcome]:
    client = AsyncQdrantClient(url=url, check_compatibility=False, timeout=TIMEOUT_S)
    try:
        return await outcomes(client, case)
    finally:
        await client.close()


def send(client: httpx.Client, request: Request) -> httpx.Response:
    """Send a raw request; its body is JSON unless it is bytes."""
    raw = isinstance(request.body, bytes)
    body: dict[str, Any] = {"content": request.body} if raw else {"json": request.body}
    headers = {"content-type": "application/json"}
    if request.body is None:
        return client.request(request.method, request.path)
    return client.request(request.method, request.path, headers=headers, **body)


def run_all(url: str, *, only: str = "", api_key: str | None = None) -> dict[str, list[Outcome]]:
    """Return the outcomes of every case, by its id, and of every request, by `http: rule`."""
    client = connect(url, api_key)
    headers = {"api-key": api_key} if api_key else {}
    by_case = {}
    with library(client):
        for case in cases():
            if only in case.id:
                by_case[case.id] = run_case(url, client, case, api_key=api_key)
        with httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT_S) as http:
            for request in REQUESTS:
                answer = send(http, request)
                message = plain(message_of(answer.content)) if answer.status_code >= 400 else ""
                by_case[f"http: {request.rule}"] = [{"error": answer.status_code, "message": message}]
    client.close()
    return by_case
