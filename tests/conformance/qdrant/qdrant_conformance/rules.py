"""Rules of a real server that are not the engine's: they live in the layers around it, so each is made anew here.

They were read in the source of a server of 1.19.0 and compared one by one; what one request shows is asked by the tests,
of a collection of six points.
"""

# ruff: noqa: E501  # a rule a line, as a table

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

API = "lib/api/src/rest/schema.rs"
COLLECTION = "lib/collection/src/collection"
OPERATIONS = "lib/collection/src/operations"
STORAGE = "lib/storage/src/content_manager"
SAME = "same"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule.

    Attributes:
        what: The rule, in a sentence.
        source: Where a real server has it.
        verdict: `same`, or what is different here.
        asks: Method, path behind the collection's, and body; None where one request does not show it.
        status: HTTP status of the answer.
        says: Words of the answer.
    """

    what: str
    source: str
    verdict: str = SAME
    asks: tuple[str, str, Any] | None = None
    status: int = 200
    says: str = ""


def _post(path: str, **body: Any) -> tuple[str, str, Any]:
    return "POST", f"/points/{path}", body


def _query(**body: Any) -> tuple[str, str, Any]:
    return _post("query", **body)


def _one(field: str, value: Any) -> tuple[str, str, Any]:
    """Return a creation of another collection, which is refused."""
    return "PUT", "-other", {"vectors": {}, field: value}


NEAREST = {"query": [1.0, 1.0]}
LESS = {"must": {"key": "missing", "values_count": {"lt": 1}}}
MORE = {"must": {"key": "missing", "values_count": {"gte": 1}}}
DEEP: dict[str, Any] = NEAREST
for _ in range(65):
    DEEP = {"prefetch": DEEP, **NEAREST}

NESTED: dict[str, Any] = {}
for _ in range(127):
    NESTED = {"must": NESTED}
TOO_DEEP_FOR_THE_LOG: dict[str, Any] = {}
for _ in range(122):
    TOO_DEEP_FOR_THE_LOG = {"a": TOO_DEEP_FOR_THE_LOG}

RULES: tuple[Rule, ...] = (
    # pages of results
    Rule(what="A random sample ignores `offset`, unless it is drawn from prefetches.", source=f"{OPERATIONS}/universal_query/collection_query.rs"),
    Rule(what="`mmr` picks `limit` points, and `offset` skips the first of those.", source=f"{COLLECTION}/query.rs"),
    Rule(what="A fusion at the root is cut by `score_threshold` first, then by `offset` and `limit`.", source=f"{COLLECTION}/query.rs"),
    Rule(what="The sum of `limit` and `offset` stops at the largest number.", source="lib/shard/src/query/planned_query.rs", asks=_query(**NEAREST, limit=2**63, offset=2**63), says='"points":[]'),
    Rule(what="`limit` of a query, a prefetch, a scroll, a group, a facet or a matrix is at least 1.", source=API, asks=_query(**NEAREST, limit=0), status=422, says="[limit: value 0 invalid"),
    Rule(what="The same in a prefetch.", source=API, asks=_query(prefetch={**NEAREST, "limit": 0}, **NEAREST), status=422, says="limit: value 0 invalid"),
    Rule(what="The same in a scroll.", source="lib/shard/src/scroll.rs", asks=_post("scroll", limit=0), status=422, says="[limit: value 0 invalid"),
    Rule(what="A scroll in an order names no next page, and takes no `offset`.", source=f"{COLLECTION}/point_ops.rs", asks=_post("scroll", order_by="n", limit=2), says='"next_page_offset":null'),
    Rule(what="Points that are asked for twice come once, in the order of the ids.", source=f"{COLLECTION}/point_ops.rs", asks=("POST", "/points", {"ids": [2, 1, 2, 99]}), says='"result":[{"id":2},{"id":1}]'),
    Rule(what="`POST /points` returns neither payload nor vectors unless asked; a scroll returns the payload.", source=f"{COLLECTION}/point_ops.rs"),
    # what goes together
    Rule(what="Prefetches need a query.", source=f"{OPERATIONS}/universal_query/collection_query.rs", asks=_query(prefetch=NEAREST), status=400, says="A query is needed to merge the prefetches"),
    Rule(what="`score_threshold` needs a query, which is not an order.", source=f"{OPERATIONS}/universal_query/collection_query.rs", asks=_query(score_threshold=1), status=400, says="A query is needed to use the score_threshold"),
    Rule(what="A fusion takes no `using`.", source=f"{OPERATIONS}/universal_query/collection_query.rs", asks=_query(prefetch=NEAREST, query={"fusion": "rrf"}, using="x"), status=400, says="cannot be combined with the 'using' field"),
    Rule(what="Prefetches are nested 64 deep at most.", source="lib/shard/src/query/planned_query.rs", asks=_query(**DEEP), status=400, says="exceeds max depth 64"),
    Rule(what="Fusions and formulas need prefetches.", source="lib/shard/src/query/planned_query.rs", asks=_query(query={"fusion": "rrf"}), status=400, says="cannot apply Fusion without prefetches"),
    Rule(what="As many `weights` as prefetches.", source=f"{COLLECTION}/query.rs", asks=_query(prefetch=NEAREST, query={"rrf": {"weights": [1, 2]}}), status=400, says="does not match number of prefetches"),
    Rule(what="Points that a query names by id are left out of its results, those of nested prefetches too; not those of another collection.", source=f"{OPERATIONS}/universal_query/collection_query.rs", asks=_query(query=3, limit=1), says='"id":5'),
    Rule(what="The vector of an id that is not there is 404.", source="lib/collection/src/common/fetch_vectors.rs", asks=_query(query=99), status=404, says="No point with id 99 found"),
    Rule(what="`lookup_from` names a collection that is there, else 404.", source="lib/collection/src/common/fetch_vectors.rs", asks=_query(query=1, lookup_from={"collection": "none"}), status=404, says="Collection none not found"),
    # examples
    Rule(what="`average_vector` needs a positive example.", source="lib/collection/src/recommendations.rs", asks=_query(query={"recommend": {"negative": [1]}}), status=400, says="Positive vectors should not be empty"),
    Rule(what="The other strategies need an example of either kind.", source="lib/api/src/rest/validate.rs", asks=_query(query={"recommend": {"strategy": "best_score"}}), status=422, says="At least one positive or negative"),
    Rule(what="The older `discover` needs a target or a context.", source="lib/collection/src/discovery.rs", asks=_post("discover", limit=1), status=400, says="target and/or context_pairs must be specified"),
    Rule(what="Examples of `average_vector` are averaged as stored, twice the positive mean less the negative one.", source="lib/collection/src/recommendations.rs"),
    Rule(what="`diversity` from 0 to 1, `candidates_limit` up to 16,384, by default the limit.", source=API, asks=_query(query={"nearest": [1, 1], "mmr": {"diversity": 2}}), status=422, says="must be from 0.0 to 1.0"),
    Rule(what="`k` of `rrf` is at least 1.", source=API, asks=_query(prefetch=NEAREST, query={"rrf": {"k": 0}}), status=422, says="value 0 invalid"),
    Rule(what="`hnsw_ef` from 1, `oversampling` from 1.0, `max_selectivity` from 0 to 1.", source="lib/segment/src/types.rs", asks=_query(**NEAREST, params={"hnsw_ef": 0}), status=422, says="params.hnsw_ef: value 0 invalid"),
    # groups, facets, matrix
    Rule(what="Groups are collected in 5 requests and filled in 5 more, each for `limit` times `group_size` points.", source="lib/shard/src/grouping/driver.rs"),
    Rule(what="`group_size` is at least 1.", source=API, asks=_post("query/groups", **NEAREST, group_by="n", group_size=0), status=422, says="group_size: value 0 invalid"),
    Rule(what="`with_lookup` names a collection that is there, else 404.", source="lib/collection/src/lookup/mod.rs", asks=_post("query/groups", **NEAREST, group_by="n", limit=1, with_lookup="none"), status=404, says="Collection none not found"),
    Rule(what="A facet that need not be exact asks the engine for 4 times the limit, at least for 128.", source=f"{COLLECTION}/facet.rs"),
    Rule(what="Beyond 1,280 values of a key (or 40 times the limit) the engine samples them: which of equal counts a facet shows is not determined, unless it is `exact`.", source="lib/segment/src/segment/read_view/facet.rs"),
    Rule(what="Values of equal count are in their own order.", source="lib/segment/src/data_types/facets.rs", asks=("POST", "/facet", {"key": "n", "limit": 2}), says='[{"value":0,"count":1},{"value":1,"count":1}]'),
    Rule(what="A facet needs an index.", source="lib/segment/src/segment/read_view/facet.rs", asks=("POST", "/facet", {"key": "k"}), status=400, says="No appropriate index for faceting"),
    Rule(what="A matrix samples 2 points at least, and is empty with fewer; a point is not its own neighbour.", source=f"{COLLECTION}/distance_matrix.rs", asks=_post("search/matrix/pairs", sample=1), status=422, says="sample: value 1 invalid"),
    Rule(what="A matrix is asked of a vector that the collection has.", source=f"{COLLECTION}/distance_matrix.rs", asks=_post("search/matrix/pairs", using="x"), status=400, says="Not existing vector name"),
    # filters
    Rule(what="A key that is missing has 0 values: `values_count` of less than 1 finds it.", source="lib/segment/src/payload_storage/condition_checker.rs", asks=_post("count", filter=LESS), says='"count":6'),
    Rule(what="And 1 or more does not.", source="lib/segment/src/payload_storage/condition_checker.rs", asks=_post("count", filter=MORE), says='"count":0'),
    Rule(what="A condition on a key says something.", source="lib/segment/src/types.rs", asks=_post("count", filter={"must": {"key": "n"}}), status=422, says="At least one field condition must be specified"),
    Rule(what="`min_count` of `min_should` is above 0.", source="lib/segment/src/types.rs", asks=_post("count", filter={"min_should": {"conditions": [], "min_count": 0}}), status=422, says="min_count"),
    # writes
    Rule(what="A body is nested 127 levels deep at most.", source="src/actix/mod.rs (serde_json)", asks=_post("count", filter=NESTED), status=400, says="recursion limit exceeded"),
    Rule(what="A payload, or the filter of a write, is what the log can be read again with.", source="lib/shard/src/wal.rs (serde_cbor)", verdict="refused beyond 122 levels; a real server takes what its parser takes", asks=_post("payload", points=[1], payload=TOO_DEEP_FOR_THE_LOG), status=400, says="recursion limit exceeded"),
    Rule(what="A write of nothing is refused.", source="src/common/update.rs", asks=("PUT", "/points", {"points": []}), status=400, says="Empty update request"),
    Rule(what="Deletes and payload writes name points or a filter.", source="src/common/update.rs", asks=_post("payload", payload={"a": 1}), status=400, says="No filter or points provided"),
    Rule(what="An update of vectors names a point, a deletion of vectors a vector.", source=f"{OPERATIONS}/vector_ops.rs", asks=("PUT", "/points/vectors", {"points": []}), status=422, says="must specify points to update"),
    Rule(what="A payload index names its type.", source="src/common/update.rs", asks=("PUT", "/index", {"field_name": "z"}), status=400, says="Can't auto-detect field type"),
    Rule(what="Vectors are deleted from the points named and from those of a filter, where both are given; a payload goes to the points named.", source="src/common/update.rs"),
    Rule(what="The older `discover` has no `score_threshold`, the older `search` no `lookup_from`.", source=f"{OPERATIONS}/types.rs", verdict="refused with 400, as every unknown field; a real server drops it", asks=_post("discover", target=1, limit=1, score_threshold=0.5), status=400, says="unknown field `score_threshold`"),
    Rule(what="As many ids, vectors and payloads in a batch.", source="lib/api/src/rest/validate.rs", asks=("PUT", "/points", {"batch": {"ids": [1, 2], "vectors": [[1, 1]]}}), status=422),
    Rule(what="`ordering` and `wait` change no result on one node; `wait=false` is acknowledged.", source=f"{COLLECTION}/point_ops.rs", verdict="the write is done before it is answered, with `wait=false` too"),
    Rule(what="`timeout` is at least 1 s.", source="src/actix/api/read_params.rs", asks=("POST", "/points/count?timeout=0", {}), status=400, says="expected a nonzero u64"),
    Rule(what="`consistency` is a number from 1, `majority`, `quorum` or `all`.", source=f"{OPERATIONS}/consistency_params.rs", asks=("POST", "/points/count?consistency=0", {}), status=400, says="consistency"),
    # collections and aliases
    Rule(what="Names have 1 to 255 characters, none of `<>:\"/\\|?*`, NUL and U+001F.", source="lib/common/common/src/validation.rs", asks=("PUT", "%3A", {}), status=422, says="collection name cannot contain"),
    Rule(what="`shard_number`, `replication_factor` and `write_consistency_factor` are at least 1.", source=f"{STORAGE}/collection_meta_ops.rs", asks=_one("shard_number", 0), status=422, says="value 0 invalid"),
    Rule(what="Vectors have 1 to 65,536 numbers.", source=f"{OPERATIONS}/types.rs", asks=("PUT", "-other", {"vectors": {"size": 65537, "distance": "Dot"}}), status=422, says="must be from 1 to 65536"),
    Rule(what="`ef_construct` from 4, `full_scan_threshold` from 10.", source=f"{OPERATIONS}/config_diff.rs", asks=_one("hnsw_config", {"full_scan_threshold": 9}), status=422, says="must be 10 or larger"),
    Rule(what="`deleted_threshold` from 0 to 1, `vacuum_min_vector_number` from 100, `max_segment_size` from 1.", source=f"{OPERATIONS}/config_diff.rs", asks=_one("optimizers_config", {"vacuum_min_vector_number": 99}), status=422, says="must be 100 or larger"),
    Rule(what="`wal_capacity_mb` is at least 1.", source="lib/collection/src/config.rs", asks=_one("wal_config", {"wal_capacity_mb": 0}), status=422, says="value 0 invalid"),
    Rule(what="`quantile` from 0.5 to 1.", source="lib/segment/src/types.rs", asks=_one("quantization_config", {"scalar": {"type": "int8", "quantile": 0.2}}), status=422, says="must be from 0.5 to 1.0"),
    Rule(what="Limits of a strict mode are at least 1, where it is off too.", source="lib/segment/src/types.rs", asks=_one("strict_mode_config", {"max_query_limit": 0}), status=422, says="max_query_limit: value 0 invalid"),
    Rule(what="A strict mode that is on.", source=f"{OPERATIONS}/verification/mod.rs", verdict="refused with 501: nothing is accepted and then ignored", asks=_one("strict_mode_config", {"enabled": True}), status=501),
    Rule(what="Shard keys.", source=f"{OPERATIONS}/shard_selector_internal.rs", verdict="refused with 501", asks=_post("count", shard_key="a"), status=501),
    Rule(what="No name is a dense and a sparse vector.", source=f"{STORAGE}/toc/create_collection.rs", asks=("PUT", "-other", {"vectors": {"a": {"size": 1, "distance": "Dot"}}, "sparse_vectors": {"a": {}}}), status=400, says="must be unique"),
    Rule(what="A collection is not created under an alias's name, nor an alias under a collection's.", source=f"{STORAGE}/toc/create_collection.rs"),
    Rule(what="An alias leads to a collection that is there, not to an alias; making one again moves it, deleting one that is not there is fine, renaming it is 404.", source=f"{STORAGE}/alias_mapping.rs"),
    Rule(what="An alias may be renamed to the name of a collection.", source=f"{STORAGE}/toc/collection_meta_ops.rs", verdict="refused with 409: the collection could no longer be reached"),
    Rule(what="A change of a collection that is not there is 404, its deletion is `false`.", source=f"{STORAGE}/toc/collection_meta_ops.rs"),
    # snapshots and web pages
    Rule(what="A snapshot must have the vectors of the collection that it replaces.", source=f"{STORAGE}/snapshots/recover.rs", verdict="names, sizes, distances and datatypes are compared; a real server compares their parameters too, and keeps the collection's configuration, where this one takes the snapshot's"),
    Rule(what="A snapshot is fetched from any address.", source=f"{STORAGE}/snapshots/download.rs", verdict="from this machine alone, and no redirect leads to another server"),
    Rule(what="The format of a snapshot.", source=f"{STORAGE}/snapshots/recover.rs", verdict="of our own making; one of a real server is refused with 501"),
    Rule(what="Every web page may call the server (CORS).", source="src/actix/mod.rs", verdict="pages of this machine may; others get 403, by `Host`, `Origin` and `Sec-Fetch-Site`"),
    Rule(what="A body of another content type than JSON is refused with 400.", source="src/actix/mod.rs", verdict="with 415, and only where a web page sends it"),
)  # fmt: skip
"""Every rule that was compared."""
