"""What came of a call, in a form that two servers can be compared by: JSON without times, names and rounding."""

from __future__ import annotations

import inspect
import math
from itertools import groupby
from typing import TYPE_CHECKING, Any

import httpx
import orjson
from pydantic import BaseModel
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from ragbed.contracts.vector_store.worlds import COLLECTIONS, SCOPE

if TYPE_CHECKING:
    from ragbed.contracts.vector_store.case import Case, Step

VOLATILE = {
    "usage",
    "version",
    "operation_id",
    "segments_count",
    "indexed_vectors_count",
    "time",
    "vectors_count",
    "update_queue",
}
"""Fields that tell about the run, not about the answer."""

OPTIMIZING = {"status", "optimizer_status"}
"""Fields of a collection that tell how far the work in the background is."""

Outcome = dict[str, Any]


def plain(value: Any) -> Any:
    """Return a result as JSON data: models as objects without what is unset, floats to five digits."""
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json", exclude_none=True)
    if isinstance(value, dict):
        left_out = VOLATILE | (OPTIMIZING if set(value) >= OPTIMIZING else set())
        return {str(key): plain(item) for key, item in value.items() if key not in left_out}
    if isinstance(value, list | tuple):
        return _ties_in_order([plain(item) for item in value])
    if isinstance(value, float):
        return float(f"{value:.5g}")
    return value.replace(SCOPE, "SCOPE") if isinstance(value, str) else value


def _ties_in_order(items: list[Any]) -> list[Any]:
    """Return scored points with those of one score by id, for nothing says which of them goes first."""
    if not all(isinstance(item, dict) and {"id", "score"} <= set(item) for item in items):
        return items
    runs = groupby(items, key=lambda item: item["score"])
    return [item for _, run in runs for item in sorted(run, key=lambda item: str(item["id"]))]


def alike(left: Any, right: Any) -> bool:
    """Say whether two outcomes are the same; numbers may differ by as much as the order of a sum makes."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(alike(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(alike, left, right))
    if isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right, rel_tol=5e-5, abs_tol=1e-6)
    return type(left) is type(right) and bool(left == right)


def refused(error: UnexpectedResponse) -> Outcome:
    """Return a refusal: the status; the message apart, for words vary."""
    return {"error": error.status_code, "message": plain(message_of(error.content))}


def message_of(content: bytes) -> str:
    """Return the message in an error's envelope, or the whole body when it has none."""
    try:
        return str(orjson.loads(content)["status"]["error"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return content.decode("utf-8", "replace")[:300]


def arguments_of(client: Any, step: Step, world: str) -> dict[str, Any]:
    """Return the call's arguments with the world's collection, where the method takes one."""
    takes = inspect.signature(getattr(client, step.method)).parameters
    mine = {"collection_name": COLLECTIONS[world]} if "collection_name" in takes else {}
    return {**mine, **step.arguments}


async def call(client: Any, step: Step, world: str) -> Outcome:
    """Call a method, of the sync or the async client, and return its outcome."""
    try:
        result = getattr(client, step.method)(**arguments_of(client, step, world))
        result = await result if inspect.isawaitable(result) else result
    except UnexpectedResponse as error:
        return refused(error)
    except (ResponseHandlingException, httpx.HTTPError) as error:
        return {"error": 0, "message": f"no valid answer: {type(error).__name__}: {error}"[:300]}
    except (ValueError, TypeError, AssertionError, NotImplementedError) as error:
        return {"error": -1, "message": f"refused by the client: {error}"[:300]}
    return {"result": plain(step.keep(result) if step.keep else result)}


async def outcomes(client: Any, case: Case) -> list[Outcome]:
    """Run a case in its world, which is there, and return the outcome of its call and of what is read after."""
    for step in case.before:
        await call(client, step, case.world)
    return [await call(client, step, case.world) for step in (case.step, *case.then)]


def comparable(outcomes: list[Outcome]) -> list[Outcome]:
    """Return outcomes without the messages of errors."""
    return [{key: value for key, value in one.items() if key != "message"} for one in outcomes]
