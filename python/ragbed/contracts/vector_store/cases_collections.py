"""Cases about collections, aliases, payload indexes, snapshots and the server itself."""

# Tables read best in a layout of their own.
# ruff: noqa: E501
# fmt: off

from __future__ import annotations

from typing import Any

from qdrant_client import models as m

from ragbed.contracts.vector_store.case import Step, Table, step
from ragbed.contracts.vector_store.worlds import ALIAS, ALIAS_2, LIBRARY, NOTHING, PLAIN, SCOPE

TABLE = Table()
add = TABLE.add

DOT2 = m.VectorParams(size=2, distance=m.Distance.DOT)
INFO = step("get_collection")
SCALAR = m.ScalarQuantization(
    scalar=m.ScalarQuantizationConfig(type=m.ScalarType.INT8, quantile=0.99, always_ram=True)
)
ALL = step("scroll", limit=100, with_payload=True, with_vectors=True)


def create(rule: str, /, **arguments: Any) -> None:
    """Add a creation, and what the collection says of itself afterwards."""
    says = arguments.pop("says", ())
    before = arguments.pop("before", ())
    arguments.setdefault("vectors_config", DOT2)
    add("create_collection", rule, world="nothing", before=before, then=(INFO,), says=says, **arguments)


create("one unnamed vector")
for _distance in m.Distance:
    create(f"distance {_distance.value}", vectors_config=m.VectorParams(size=3, distance=_distance))
create("named vectors", vectors_config={"a": DOT2, "b": m.VectorParams(size=5, distance=m.Distance.COSINE)})
create("no vectors", vectors_config=None)
create("no vectors, as an empty object", vectors_config={})
create("sparse vectors alone", vectors_config={}, sparse_vectors_config={"words": m.SparseVectorParams()})
create("sparse vectors with options", vectors_config={"a": DOT2}, sparse_vectors_config={
    "idf": m.SparseVectorParams(modifier=m.Modifier.IDF), "disk": m.SparseVectorParams(
        index=m.SparseIndexParams(on_disk=True, full_scan_threshold=100, datatype=m.Datatype.FLOAT16))})
create("multi vectors", vectors_config={"late": m.VectorParams(size=2, distance=m.Distance.DOT,
       multivector_config=m.MultiVectorConfig(comparator=m.MultiVectorComparator.MAX_SIM))})
for _datatype in (m.Datatype.FLOAT32, m.Datatype.FLOAT16, m.Datatype.UINT8):
    create(f"datatype {_datatype.value}",
           vectors_config=m.VectorParams(size=2, distance=m.Distance.DOT, datatype=_datatype))
create("vectors on disk", vectors_config=m.VectorParams(size=2, distance=m.Distance.DOT, on_disk=True))
create("payload in memory", on_disk_payload=False)
create("settings of the graph", hnsw_config=m.HnswConfigDiff(m=24, ef_construct=120, full_scan_threshold=5000,
       max_indexing_threads=1, on_disk=True, payload_m=8))
create("settings of the graph of one vector", vectors_config={"a": m.VectorParams(
       size=2, distance=m.Distance.DOT, hnsw_config=m.HnswConfigDiff(m=8, ef_construct=50))})
create("settings of the optimizer", optimizers_config=m.OptimizersConfigDiff(
       deleted_threshold=0.3, vacuum_min_vector_number=500, default_segment_number=2, indexing_threshold=0,
       flush_interval_sec=7, max_optimization_threads=1))
create("settings of the log", wal_config=m.WalConfigDiff(wal_capacity_mb=16, wal_segments_ahead=1))
create("scalar quantization", quantization_config=SCALAR)
create("binary quantization", quantization_config=m.BinaryQuantization(
       binary=m.BinaryQuantizationConfig(always_ram=True)))
create("product quantization", vectors_config=m.VectorParams(size=8, distance=m.Distance.DOT), quantization_config=
       m.ProductQuantization(product=m.ProductQuantizationConfig(compression=m.CompressionRatio.X4)))
create("quantization of one vector", vectors_config={"a": m.VectorParams(
       size=2, distance=m.Distance.DOT, quantization_config=SCALAR)})
create("strict mode", strict_mode_config=m.StrictModeConfig(enabled=True, max_query_limit=5))
create("strict mode that is off", strict_mode_config=m.StrictModeConfig(enabled=False, max_query_limit=5))
create("metadata", metadata={"owner": "tests", "nested": {"a": [1]}})
create("one shard, one replica", shard_number=1, replication_factor=1, write_consistency_factor=1)
create("custom sharding", sharding_method=m.ShardingMethod.CUSTOM)
create("automatic sharding", sharding_method=m.ShardingMethod.AUTO)
create("payload storage", payload=m.PayloadStorageParams())
create(
    "name that is taken", says=("already exists",), before=(step("create_collection", vectors_config=DOT2),)
)
create("size of zero", vectors_config=m.VectorParams(size=0, distance=m.Distance.DOT))
create("size too large", vectors_config=m.VectorParams(size=65537, distance=m.Distance.DOT))
create("no shards", shard_number=0)
create("too small a graph", hnsw_config=m.HnswConfigDiff(ef_construct=1))
create("quantile out of range", quantization_config=m.ScalarQuantization(
       scalar=m.ScalarQuantizationConfig(type=m.ScalarType.INT8, quantile=0.1)))
for _rule, _name in {"a space": "a b", "letters of any script": "ünïcode", "a colon": "a:b", "too many letters": "a" * 256,
                     "a backslash": "a\\b", "a star": "a*"}.items():
    add("create_collection", f"name with {_rule}", world="nothing", collection_name=f"{NOTHING}{_name}",
        vectors_config=DOT2, then=(step("delete_collection", collection_name=f"{NOTHING}{_name}"),))

add(
    "recreate_collection",
    "an old one is emptied",
    world="plain",
    then=(INFO, step("count")),
    vectors_config=DOT2,
)
add("recreate_collection", "a new one with every setting", world="nothing", then=(INFO,), vectors_config={"a": DOT2},
    sparse_vectors_config={"words": m.SparseVectorParams()}, shard_number=1, sharding_method=m.ShardingMethod.AUTO,
    replication_factor=1, write_consistency_factor=1, on_disk_payload=True, hnsw_config=m.HnswConfigDiff(m=8),
    optimizers_config=m.OptimizersConfigDiff(indexing_threshold=100), wal_config=m.WalConfigDiff(wal_capacity_mb=8),
    quantization_config=SCALAR, metadata={"a": 1}, payload=m.PayloadStorageParams(),
    strict_mode_config=m.StrictModeConfig(enabled=False))

_QUERY = step("query_points", query=[1.0, 2.0])


def update(rule: str, /, **arguments: Any) -> None:
    """Add a change of a collection, and what it says of itself afterwards."""
    world = arguments.pop("world", "plain")
    then = arguments.pop("then", (INFO,))
    add("update_collection", rule, world=world, then=then, **arguments)


update("settings of the optimizer", optimizers_config=m.OptimizersConfigDiff(indexing_threshold=7))
update("settings of the graph", hnsw_config=m.HnswConfigDiff(m=10))
update("settings of the collection", collection_params=m.CollectionParamsDiff(
    replication_factor=1, write_consistency_factor=1, on_disk_payload=False))
update("quantization on", quantization_config=SCALAR, then=(INFO, _QUERY))
update("quantization off", quantization_config=m.Disabled.DISABLED)
update(
    "one vector's settings",
    vectors_config={"": m.VectorParamsDiff(hnsw_config=m.HnswConfigDiff(m=9), on_disk=True)},
)
update("a named vector's settings", world="named", vectors_config={"dense": m.VectorParamsDiff(on_disk=True)})
update("unknown vector", world="named", vectors_config={"nope": m.VectorParamsDiff(on_disk=True)})
update("sparse vector's settings", world="named", sparse_vectors_config={
    "words": m.SparseVectorParams(index=m.SparseIndexParams(on_disk=True))})
update("strict mode limits a query", strict_mode_config=m.StrictModeConfig(enabled=True, max_query_limit=2),
       then=(INFO, step("query_points", query=[1.0, 2.0], limit=3), step("query_points", query=[1.0, 2.0], limit=2)))
update("strict mode wants indexes", world="indexed", strict_mode_config=m.StrictModeConfig(enabled=True, unindexed_filtering_retrieve=False),
       then=(step("scroll", scroll_filter=m.Filter(must=[m.FieldCondition(key="x", match=m.MatchValue(value=1))])),
             step("scroll", scroll_filter=m.Filter(must=[m.FieldCondition(key="n", match=m.MatchValue(value=1))]))))
update("metadata", metadata={"a": 1})
update("nothing")
update("missing collection", world="nothing", hnsw_config=m.HnswConfigDiff(m=10))

add("create_vector_name", "a dense one", world="named", then=(INFO,), vector_name="more", vector_name_config=
    m.DenseVectorNameConfig(dense=m.DenseVectorConfig(size=3, distance=m.Distance.DOT)))
add("create_vector_name", "a sparse one", world="named", then=(INFO,), vector_name="more", vector_name_config=
    m.SparseVectorNameConfig(sparse=m.SparseVectorConfig()))
add("delete_vector_name", "a dense one", world="named", then=(INFO, ALL), vector_name="dense")
add("delete_vector_name", "unknown", world="named", then=(INFO,), vector_name="nope")

add("get_collections", "lists names", world="plain",
    keep=lambda found: sorted(one.name for one in found.collections if one.name in {PLAIN, LIBRARY}))
add("get_collection", "of the library")
add("get_collection", "missing", world="nothing", says=("doesn't exist",))
add("collection_exists", "yes")
add("collection_exists", "no", world="nothing")
add("delete_collection", "is gone", world="plain", then=(step("collection_exists"), step("count")))
add("delete_collection", "missing", world="nothing")
add("get_optimizations", "of an idle collection", world="plain",
    keep=lambda found: sorted(found.model_dump(exclude_none=True)))
add("get_optimizations", "with finished ones", world="plain", completed_limit=3,
    keep=lambda found: sorted(found.model_dump(exclude_none=True)))

# --- aliases


def _create(alias: str, name: str = PLAIN) -> m.CreateAliasOperation:
    return m.CreateAliasOperation(create_alias=m.CreateAlias(collection_name=name, alias_name=alias))


def _delete(alias: str) -> m.DeleteAliasOperation:
    return m.DeleteAliasOperation(delete_alias=m.DeleteAlias(alias_name=alias))


def _rename(old: str, new: str) -> m.RenameAliasOperation:
    return m.RenameAliasOperation(rename_alias=m.RenameAlias(old_alias_name=old, new_alias_name=new))


def _aliased(*operations: Any) -> Step:
    return step("update_collection_aliases", change_aliases_operations=list(operations))


def _mine(answer: m.CollectionsAliasesResponse) -> list[Any]:
    return sorted((one.alias_name, one.collection_name) for one in answer.aliases if SCOPE in one.alias_name)


ALIASES = step("get_aliases", keep=_mine)


def aliases(rule: str, *operations: Any, before: tuple[Step, ...] = (), world: str = "plain") -> None:
    """Add a change of aliases, what they are afterwards, and one read through the alias."""
    through = step("count", collection_name=ALIAS)
    add("update_collection_aliases", rule, world=world, before=before, then=(ALIASES, through),
        change_aliases_operations=list(operations))


aliases("create", _create(ALIAS))
aliases("create and switch in one request", _create(ALIAS), _delete(ALIAS), _create(ALIAS, LIBRARY), _delete(ALIAS),
        _create(ALIAS))
aliases("create twice", _create(ALIAS), before=(_aliased(_create(ALIAS)),))
aliases("delete", _delete(ALIAS), before=(_aliased(_create(ALIAS)),))
aliases("delete an unknown one", _delete(ALIAS))
aliases("rename", _rename(ALIAS_2, ALIAS), before=(_aliased(_create(ALIAS_2)),))
aliases("rename an unknown one", _rename(ALIAS_2, ALIAS))
aliases("of a missing collection", _create(ALIAS, "no-such-collection"))
aliases("by the name of a collection", _create(PLAIN))
aliases("nothing")
add(
    "get_aliases",
    "of one collection among all",
    world="plain",
    before=(_aliased(_create(ALIAS)),),
    keep=_mine,
)
add(
    "get_collection_aliases",
    "two",
    world="plain",
    before=(_aliased(_create(ALIAS), _create(ALIAS_2)),),
    keep=_mine,
)
add("get_collection_aliases", "none")
add("get_collection_aliases", "missing collection", world="nothing")
add(
    "delete_collection",
    "takes its aliases along",
    world="plain",
    before=(_aliased(_create(ALIAS)),),
    then=(ALIASES,),
)
add("delete_collection", "by its alias", world="plain", before=(_aliased(_create(ALIAS)),), collection_name=ALIAS,
    then=(step("collection_exists"), _aliased(_delete(ALIAS))))
add("create_collection", "by the name of an alias", world="plain", before=(_aliased(_create(ALIAS)),),
    collection_name=ALIAS, vectors_config=DOT2)

# --- payload indexes
SCHEMA = step("get_collection", keep=lambda info: info.payload_schema)
_T = m.TokenizerType
INDEXES: dict[str, Any] = {
    **{f"{kind.value} by its name": kind for kind in m.PayloadSchemaType},
    "keyword with parameters": m.KeywordIndexParams(type="keyword", is_tenant=True, on_disk=True),
    "keyword with prefixes": m.KeywordIndexParams(type="keyword", prefix=True),
    "integer with parameters": m.IntegerIndexParams(type="integer", lookup=True, range=False, is_principal=True, on_disk=True),
    "float with parameters": m.FloatIndexParams(type="float", is_principal=True, on_disk=True),
    "geo with parameters": m.GeoIndexParams(type="geo", on_disk=True),
    "bool with parameters": m.BoolIndexParams(type="bool", on_disk=True),
    "datetime with parameters": m.DatetimeIndexParams(type="datetime", is_principal=True, on_disk=True),
    "uuid with parameters": m.UuidIndexParams(type="uuid", is_tenant=True, on_disk=True),
    "text with parameters": m.TextIndexParams(
        type="text", tokenizer=_T.WORD, min_token_len=2, max_token_len=20, lowercase=True, ascii_folding=True,
        phrase_matching=True, on_disk=True, stopwords="english", stemmer=m.SnowballParams(type="snowball", language="english")),
    "text of prefixes": m.TextIndexParams(type="text", tokenizer=_T.PREFIX),
    "text of own stopwords": m.TextIndexParams(type="text", stopwords=m.StopwordsSet(languages=["english"], custom=["foo"])),
    "integer without lookup and range": m.IntegerIndexParams(type="integer", lookup=False, range=False),
    "no graph for the key": m.KeywordIndexParams(type="keyword", enable_hnsw=False),
}
for _rule, _schema in INDEXES.items():
    add(
        "create_payload_index", _rule, world="plain", then=(SCHEMA,), field_name="field", field_schema=_schema
    )
add("create_payload_index", "over existing values", world="indexed", field_name="n", field_schema="float",
    then=(SCHEMA, step("scroll", order_by="n", limit=2)))
add(
    "create_payload_index",
    "the same again",
    world="plain",
    field_name="n",
    field_schema="integer",
    then=(SCHEMA,),
)
add("create_payload_index", "by the old name of the parameter", world="plain", field_name="field",
    field_type=m.PayloadSchemaType.KEYWORD, then=(SCHEMA,))
add("create_payload_index", "unknown type", world="plain", field_name="field", field_schema="colour")
add("create_payload_index", "missing collection", world="nothing", field_name="n", field_schema="integer")
add("delete_payload_index", "known", world="indexed", field_name="n", then=(SCHEMA,))
add("delete_payload_index", "unknown", world="plain", field_name="nope", then=(SCHEMA,))
add("delete_payload_index", "missing collection", world="nothing", field_name="n")

# --- snapshots: names hold times, so only their shape is compared


def _shape(answer: Any) -> Any:
    if isinstance(answer, list):
        return [_shape(one) for one in answer]
    return sorted(answer.model_dump(exclude_none=True)) if answer is not None else None


for _kind in ("", "full_"):
    _world = "library" if _kind else "plain"
    add(f"create_{_kind}snapshot", "has a name and a checksum", world=_world, keep=_shape)
    add(f"list_{_kind}snapshots", "of one that was made", world=_world, before=(step(f"create_{_kind}snapshot"),),
        keep=lambda found: _shape(found)[-1])
    add(f"delete_{_kind}snapshot", "unknown", world=_world, snapshot_name="nope.snapshot")
add("list_snapshots", "as a list", world="plain", keep=lambda found: isinstance(found, list))
add("create_snapshot", "missing collection", world="nothing")
add("recover_snapshot", "a file that is not there", world="plain", location="file:///no/such/file.snapshot",
    priority=m.SnapshotPriority.SNAPSHOT, checksum="0" * 64, api_key="none")
add("recover_snapshot", "a checksum that is none", world="plain", location="file:///no/such/file.snapshot", checksum="00")
add("recover_snapshot", "a location that is no address", world="plain", location="nowhere")

# --- the server, and what the client does by itself
add("info", "names the server", keep=lambda found: sorted(found.model_dump(exclude_none=True))[:2])
add("cluster_status", "alone", keep=lambda found: found.status)
add("collection_cluster_info", "one shard", keep=lambda found: (found.shard_count, len(found.local_shards)))
add("collection_cluster_info", "missing collection", world="nothing")
add("close", "leaves the server alone", world="plain", grpc_grace=None)
