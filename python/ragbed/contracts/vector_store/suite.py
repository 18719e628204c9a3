"""Every case in one list, the ones that follow from others included, and what the suite leaves out."""

from __future__ import annotations

import inspect

from qdrant_client import QdrantClient, models

from ragbed.contracts.vector_store import cases_collections, cases_points, cases_queries, cases_unusual
from ragbed.contracts.vector_store.case import Case, with_arguments

EXCEPTED = {
    "cluster_collection_update": "for clusters",
    "cluster_telemetry": "for clusters",
    "remove_peer": "for clusters",
    "recover_current_peer": "for clusters",
    "create_shard_key": "for clusters",
    "delete_shard_key": "for clusters",
    "list_shard_keys": "for clusters",
    "create_shard_snapshot": "for clusters",
    "delete_shard_snapshot": "for clusters",
    "list_shard_snapshots": "for clusters",
    "recover_shard_snapshot": "for clusters",
    "migrate": "made of calls that have cases",
    "grpc_collections": "gRPC",
    "grpc_points": "gRPC",
    "http": "the generated client below",
    "init_options": "asks no server",
    "get_embedding_size": "asks no server",
    "list_text_models": "asks no server",
    "list_image_models": "asks no server",
    "list_sparse_models": "asks no server",
    "list_late_interaction_text_models": "asks no server",
    "list_late_interaction_multimodal_models": "asks no server",
    "DEFAULT_BATCH_SIZE": "a number",
}
"""Public names of the client that have no case, each with the reason."""

_COMMON = {
    "wait": True,
    "ordering": models.WriteOrdering.STRONG,
    "timeout": 20,
    "consistency": models.ReadConsistencyType.MAJORITY,
}
ONE_SERVER = "wait, ordering, timeout and consistency given"
SHARD_KEY = "a shard key where there are none"


def parameters(method: str) -> list[str]:
    """Return the names of a method's parameters, the open-ended ones left out."""
    taken = inspect.signature(getattr(QdrantClient, method)).parameters.values()
    return [one.name for one in taken if one.name != "self" and one.kind is not one.VAR_KEYWORD]


def public_methods() -> list[str]:
    """Return the names of the client's public methods that have cases."""
    return [name for name in dir(QdrantClient) if not name.startswith("_") and name not in EXCEPTED]


def cases() -> list[Case]:
    """Return every case, written and derived, in order of method."""
    areas = (cases_collections, cases_points, cases_queries, cases_unusual)
    written = [case for area in areas for case in area.TABLE.cases]
    firsts: dict[str, Case] = {}
    for case in written:
        firsts.setdefault(case.step.method, case)
    derived = [one for case in firsts.values() for one in _derived(case)]
    return sorted([*written, *derived], key=lambda case: case.step.method)


def _derived(case: Case) -> list[Case]:
    takes = parameters(case.step.method)
    common = {name: value for name, value in _COMMON.items() if name in takes}
    derived = [with_arguments(case, ONE_SERVER, **common)] if common else []
    if "shard_key_selector" in takes:
        derived.append(with_arguments(case, SHARD_KEY, shard_key_selector="a"))
    return derived
