"""Cases below the client: requests that it would not send, and answers that it does not show."""

# Tables read best in a layout of their own.
# fmt: off

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ragbed.contracts.vector_store.worlds import LIBRARY, SCOPE

LIB = f"/collections/{LIBRARY}"
GONE = f"/collections/conformance-{SCOPE}-gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request and what its answer must be like on every server.

    Attributes:
        rule: What it shows; unique.
        method: HTTP method.
        path: Path and query string.
        body: JSON, or the bytes themselves; None for none.
        status: The expected status.
        says: Words of the message.
    """

    rule: str
    method: str
    path: str
    status: int
    body: Any = None
    says: tuple[str, ...] = ()


def _post(rule: str, path: str, body: Any, status: int, *says: str) -> Request:
    return Request(rule=rule, method="POST", path=path, body=body, status=status, says=says)


def _get(rule: str, path: str, status: int, *says: str) -> Request:
    return Request(rule=rule, method="GET", path=path, status=status, says=says)


def _put(rule: str, path: str, body: Any, status: int, *says: str) -> Request:
    return Request(rule=rule, method="PUT", path=path, body=body, status=status, says=says)


SEARCH = {"vector": {"name": "dense", "vector": [0.1, 0.2, 0.3, 0.4]}, "limit": 2}
QUERY = {"query": [0.1, 0.2, 0.3, 0.4], "using": "dense", "limit": 2}

REQUESTS = (
    _get("root names version", "/", 200),
    _get("healthz", "/healthz", 200),
    _get("livez", "/livez", 200),
    _get("readyz", "/readyz", 200),
    _get("metrics", "/metrics", 200),
    _get("telemetry", "/telemetry", 200),
    _get("cluster", "/cluster", 200),
    _get("issues", "/issues", 200),
    _get("unknown path", "/nope", 404),
    _get("unknown path below a collection", f"{LIB}/nope", 404),
    _get("wrong method", f"{LIB}/points/search", 400),
    _get("missing collection", GONE, 404, "doesn't exist"),
    _get("collection info", LIB, 200),
    _get("cluster of a collection", f"{LIB}/cluster", 200),
    _get("one point", f"{LIB}/points/3", 200),
    _get("one point that is missing", f"{LIB}/points/99", 404, "99"),
    _get("one point by a wrong id", f"{LIB}/points/abc", 400),
    _get("exists", f"{GONE}/exists", 200),
    _post("no body", f"{LIB}/points/query", None, 400),
    _post("empty body", f"{LIB}/points/query", b"", 400),
    _post("body that is no JSON", f"{LIB}/points/query", b"{", 400, "json"),
    _post("body that is a list", f"{LIB}/points/query", [], 400),
    _post("body that is a string", f"{LIB}/points/query", "x", 400),
    _post("query of an unknown form", f"{LIB}/points/query", {"query": {"nearby": [1]}}, 400),
    _post("query by text", f"{LIB}/points/query", {"query": "not a uuid", "using": "dense"}, 400),
    _post("a field that nobody knows", f"{LIB}/points/query", {**QUERY, "filtre": {}}, 200),
    _post("limit that is text", f"{LIB}/points/query", {**QUERY, "limit": "2"}, 400),
    _post("limit below zero", f"{LIB}/points/query", {**QUERY, "limit": -1}, 400),
    _post("limit of zero", f"{LIB}/points/query", {**QUERY, "limit": 0}, 422),
    _post("score that is text", f"{LIB}/points/query", {**QUERY, "score_threshold": "1"}, 400),
    _post("fusion of an unknown kind", f"{LIB}/points/query", {"prefetch": QUERY, "query": {"fusion": "sum"}}, 400),
    _post("filter that is a list", f"{LIB}/points/count", {"filter": []}, 400),
    _post("filter with an empty condition", f"{LIB}/points/count", {"filter": {"must": [{}]}}, 200),
    _post("filter with a key alone", f"{LIB}/points/count", {"filter": {"must": [{"key": "n"}]}}, 422),
    _post("filter with an unknown match", f"{LIB}/points/count",
          {"filter": {"must": [{"key": "n", "match": {"equals": 1}}]}}, 400),
    _post("filter with a wrong time", f"{LIB}/points/count",
          {"filter": {"must": [{"key": "when", "range": {"gt": "yesterday"}}]}}, 400),
    _post("filter with a float to match", f"{LIB}/points/count",
          {"filter": {"must": [{"key": "price", "match": {"value": 1.5}}]}}, 400),
    _post("unknown words for wait", f"{LIB}/points/delete?wait=maybe", {"points": [98]}, 400),
    _post("timeout of zero", f"{LIB}/points/query?timeout=0", QUERY, 400),
    _post("timeout that is text", f"{LIB}/points/query?timeout=soon", QUERY, 400),
    _post("consistency of every kind", f"{LIB}/points/query?consistency=majority", QUERY, 200),
    _post("unknown consistency", f"{LIB}/points/query?consistency=none", QUERY, 400),
    _post("retrieve without ids", f"{LIB}/points", {}, 400),
    _post("delete without a selector", f"{LIB}/points/delete", {}, 400),
    _put("points that are no list", f"{LIB}/points", {"points": 1}, 400),
    _put("points without an id", f"{LIB}/points", {"points": [{"vector": {}}]}, 400),
    _put("points with a float as id", f"{LIB}/points", {"points": [{"id": 1.5, "vector": {}}]}, 400),
    _put("points with text in a vector", f"{LIB}/points", {"points": [{"id": 1, "vector": {"flat": ["a", 1]}}]}, 400),
    _put("payload that is a list", f"{LIB}/points", {"points": [{"id": 1, "vector": {}, "payload": []}]}, 400),
    _put("collection without a size", GONE, {"vectors": {"distance": "Dot"}}, 400),
    _put("collection of an unknown distance", GONE, {"vectors": {"size": 2, "distance": "Near"}}, 400),
    _put("collection that is taken", LIB, {"vectors": {"size": 2, "distance": "Dot"}}, 409, "already exists"),
    _put("index of an unknown type", f"{LIB}/index", {"field_name": "a", "field_schema": "colour"}, 400),
    _put("index without a name", f"{LIB}/index", {"field_schema": "keyword"}, 400),
    _post("unknown alias action", "/collections/aliases", {"actions": [{"copy_alias": {}}]}, 400),
    _get("a slash at the end", f"{LIB}/", 200),
    _post("a slash at the end of a longer path", f"{LIB}/points/count/", {}, 200),
    _post("a parameter given twice", f"{LIB}/points/delete?wait=true&wait=true", {"points": [98]}, 400, "duplicate"),
    _post("vectors to delete, by their other name", f"{LIB}/points/vectors/delete?wait=true",
          {"vectors": ["flat"], "points": [98]}, 404, "98"),
    _put("nothing to update", f"{LIB}/points/vectors",
         {"points": [{"id": 1, "vector": {"words": {"indices": [], "values": []}}}]}, 422),
    _put("body in another encoding", f"{LIB}/points", b'{"points": [{"id": 98, "payload": {"a": "\xff"}}]}', 400),
    _put("a number that is none", f"{LIB}/points", b'{"points": [{"id": 98, "vector": {"flat": [NaN, 1]}}]}', 400),
    _put("a vector's name with a slash", GONE, {"vectors": {"a/b": {"size": 2, "distance": "Dot"}}}, 400,
         "cannot contain"),
    # Routes that the client has left behind.
    _post("search", f"{LIB}/points/search", SEARCH, 200),
    _post("search batch", f"{LIB}/points/search/batch", {"searches": [SEARCH]}, 200),
    _post("search groups", f"{LIB}/points/search/groups", {**SEARCH, "group_by": "kind", "group_size": 1}, 200),
    _post("recommend", f"{LIB}/points/recommend", {"positive": [1], "using": "dense", "limit": 2}, 200),
    _post("recommend batch", f"{LIB}/points/recommend/batch",
          {"searches": [{"positive": [1], "using": "dense", "limit": 2}]}, 200),
    _post("recommend groups", f"{LIB}/points/recommend/groups",
          {"positive": [1], "using": "dense", "limit": 2, "group_by": "kind", "group_size": 1}, 200),
    _post("discover", f"{LIB}/points/discover",
          {"target": 1, "context": [{"positive": 2, "negative": 3}], "using": "dense", "limit": 2}, 200),
    _post("discover batch", f"{LIB}/points/discover/batch",
          {"searches": [{"target": 1, "using": "dense", "limit": 2}]}, 200),
)
