"""The older calls `search`, `recommend` and `discover`, as the queries that took their place."""

from __future__ import annotations

from typing import Any

from ragbed.qdrant.errors import BadRequest, FormatError
from ragbed.qdrant.translate.fields import Fields, json_type, mapping

COMMON = (
    "filter",
    "params",
    "offset",
    "with_payload",
    "with_vector",
    "with_vectors",
    "score_threshold",
    "lookup_from",
    "shard_key",
    "group_by",
    "group_size",
    "with_lookup",
)
"""Fields that mean the same in a query."""


def _any(value: Any, _: str) -> Any:
    return value


def _taken(members: Fields, *, lacks: str = "") -> dict[str, Any]:
    """Take the fields that a query has too, but one; `top` is an older name of `limit`, which had no default."""
    taken = {name: members.maybe(name, _any) for name in COMMON if name != lacks}
    taken["limit"] = members.required("top" if "top" in members else "limit", _any)
    return {name: value for name, value in taken.items() if value is not None}


def search(body: Any, path: str = "") -> dict[str, Any]:
    """Return a `/points/search` body as a query: nearest to `vector`, an array or an object with `name`."""
    found = Fields(body, path)
    taken, vector = _taken(found, lacks="lookup_from"), found.required("vector", _any)
    found.close()
    using = ""
    if isinstance(vector, dict):
        named = Fields(vector, found.at("vector"))
        using, vector = named.required("name", _any), named.required("vector", _any)
        named.close()
    if not isinstance(vector, list | dict):
        raise FormatError(f"invalid type: {json_type(vector)}, expected a vector at `{found.at('vector')}`")
    return {"query": {"nearest": vector}, "using": using, **taken}


def recommend(body: Any, path: str = "") -> dict[str, Any]:
    """Return a `/points/recommend` body as a query."""
    found = Fields(body, path)
    taken, using = _taken(found), _using(found)
    examples = {name: found.maybe(name, _any) for name in ("positive", "negative", "strategy")}
    found.close()
    examples = {name: value for name, value in examples.items() if value is not None}
    _check_examples(examples)
    return {"query": {"recommend": examples}, "using": using, **taken}


def discover(body: Any, path: str = "") -> dict[str, Any]:
    """Return a `/points/discover` body as a query: by target, by context, or by both."""
    found = Fields(body, path)
    taken, using = _taken(found, lacks="score_threshold"), _using(found)
    target, context = found.maybe("target", _any), found.maybe("context", _any)
    found.close()
    if target is None and not context:
        raise BadRequest("target and/or context_pairs must be specified")
    if target is None:
        return {"query": {"context": context}, "using": using, **taken}
    return {"query": {"discover": {"target": target, "context": context}}, "using": using, **taken}


def _using(members: Fields) -> Any:
    using = members.optional("using", _any, "")
    if isinstance(using, dict):  # the older form of a vector's name
        return mapping(using, members.at("using")).get("name", "")
    return using


def _check_examples(examples: dict[str, Any]) -> None:
    average = examples.get("strategy") in (None, "average_vector")
    if average and not examples.get("positive"):
        raise BadRequest("At least one positive vector ID required with this strategy")
    if not examples.get("positive") and not examples.get("negative"):
        raise BadRequest("At least one positive or negative vector ID required with this strategy")
