"""Endpoints about the server itself: metrics, telemetry, cluster, issues, quotas, optimizations."""

from __future__ import annotations

import resource
import sys
import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ragbed.prometheus import metric_lines
from ragbed.qdrant import WIRE_VERSION
from ragbed.qdrant.calls.call import BOOLEANS, ApiRoute, Raw
from ragbed.qdrant.errors import NotFound, QueryStringError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ragbed.qdrant.calls.call import Call

STARTED = datetime.now(UTC)
INSTANCE = str(uuid4())
PEER = 1
"""Number of this server among its peers, of which there are none."""

HELP = {
    "app_info": "information about qdrant server",
    "app_status_recovery_mode": "is qdrant running in recovery mode",
    "collections_total": "number of collections",
    "collection_points": "points of each collection that is open now",
    "cluster_enabled": "is cluster support enabled",
    "memory_resident_bytes": "bytes that the process holds in memory",
    "process_threads": "threads of the process",
    "rest_responses_total": "number of answers",
    "rest_responses_avg_duration_seconds": "mean time to an answer",
}
"""What each metric is."""

WITH = ("queued", "completed", "idle_segments")


def metrics(call: Call) -> Any:
    """Return what Prometheus reads. Collections that rest are counted, and not opened for their figures."""
    return Raw(content="".join(_lines(call)).encode())


def _lines(call: Call) -> Iterator[str]:
    names = call.collections.names()
    shown = [] if _is_anonymous(call) else names
    points = [({"id": name}, count) for name, count in _points(call, shown)]
    yield from _metric("app_info", "gauge", [({"name": "qdrant", "version": WIRE_VERSION}, 1)])
    yield from _metric("app_status_recovery_mode", "gauge", [({}, 0)])
    yield from _metric("collections_total", "gauge", [({}, len(names))])
    yield from _metric("collection_points", "gauge", points)
    yield from _metric("cluster_enabled", "gauge", [({}, 0)])
    yield from _metric("memory_resident_bytes", "gauge", [({}, resident_bytes())])
    yield from _metric("process_threads", "gauge", [({}, threading.active_count())])
    answers = [
        ({"method": method, "endpoint": path, "status": status}, requests)
        for method, path, status, requests in call.stats.all()
    ]
    yield from _metric(
        "rest_responses_total", "counter", [(name, requests.count) for name, requests in answers]
    )
    means = [(name, requests.total_s / requests.count) for name, requests in answers]
    yield from _metric("rest_responses_avg_duration_seconds", "gauge", means)


def _is_anonymous(call: Call) -> bool:
    """Say whether names are to be left out."""
    given = call.query.get("anonymize", "false")
    if given not in BOOLEANS:
        raise QueryStringError(f"`anonymize` is `{given}`, expected one of {', '.join(BOOLEANS)}")
    return BOOLEANS[given]


def _points(call: Call, names: list[str]) -> Iterator[tuple[str, int]]:
    for name in names:
        with suppress(NotFound):  # deleted meanwhile
            shard = call.collections.find(name)
            if shard.is_open:
                yield name, shard.info().points_count


def _metric(name: str, kind: str, values: Sequence[tuple[Mapping[str, object], float]]) -> Iterator[str]:
    return metric_lines(name, kind, HELP[name], values)


def resident_bytes() -> int:
    """Return the memory that this process holds now; where the system does not tell, the most it has held."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
    return pages * resource.getpagesize()


def telemetry(call: Call) -> Any:
    """Return what a server says of itself, without names; it stays here, and is sent nowhere."""
    _is_anonymous(call)  # it is either way
    responses: dict[str, dict[str, Any]] = {}
    for method, path, status, requests in call.stats.all():
        mean = requests.total_s / requests.count * 1e6
        responses.setdefault(f"{method} {path}", {})[str(status)] = {
            "count": requests.count,
            "avg_duration_micros": mean,
            "total_duration_micros": round(requests.total_s * 1e6),
        }
    return {
        "id": INSTANCE,
        "app": {"name": "qdrant", "version": WIRE_VERSION, "startup": STARTED.isoformat()},
        "collections": {"number_of_collections": len(call.collections.names())},
        "cluster": {"enabled": False},
        "requests": {"rest": {"responses": responses}, "grpc": {"responses": {}}},
    }


def cluster(_: Call) -> Any:
    """Return that there is no cluster."""
    return {"status": "disabled"}


def collection_cluster(call: Call) -> Any:
    """Return where a collection's only shard is: here."""
    shard = {"shard_id": 0, "points_count": call.shard.info().points_count, "state": "Active"}
    return {
        "peer_id": PEER,
        "shard_count": 1,
        "local_shards": [shard],
        "remote_shards": [],
        "shard_transfers": [],
    }


def optimizations(call: Call) -> Any:
    """Return whether a collection waits for its index; those that are done are not kept."""
    wanted = [name.strip() for name in call.query.get("with", "").split(",") if name.strip()]
    if unknown := [name for name in wanted if name not in WITH]:
        raise QueryStringError(f"Unknown field in 'with' parameter: {unknown[0]}")
    shard = call.shard
    info = shard.info()
    waits = call.collections.status(shard, info) != "green"
    queued = [{"optimizer": "indexing", "segments": []}] if waits else []
    summary = {
        "queued_optimizations": len(queued),
        "queued_segments": info.segments_count if waits else 0,
        "queued_points": info.points_count if waits else 0,
        "idle_segments": 0 if waits else info.segments_count,
    }
    report: dict[str, Any] = {"summary": summary, "running": []}
    if "queued" in wanted:
        report["queued"] = queued
    if "completed" in wanted:
        report["completed"] = []
    return report


def issues(_: Call) -> Any:
    """Return no issues: nothing is looked for."""
    return {"issues": []}


def clear_issues(_: Call) -> Any:
    """Forget the issues, of which there are none."""
    return True


def quotas(_: Call) -> Any:
    """Return that no quota is set."""
    return {"config": {"enabled": False}, "usage": {}}


ENDPOINTS = (
    ApiRoute(method="GET", path="/metrics", answer=metrics, parameters=("anonymize", "per_collection")),
    ApiRoute(
        method="GET",
        path="/telemetry",
        answer=telemetry,
        parameters=("anonymize", "details_level", "per_collection"),
    ),
    ApiRoute(method="GET", path="/cluster", answer=cluster),
    ApiRoute(method="GET", path="/collections/{name}/cluster", answer=collection_cluster),
    ApiRoute(
        method="GET",
        path="/collections/{name}/optimizations",
        answer=optimizations,
        parameters=("with", "completed_limit"),
    ),
    ApiRoute(method="GET", path="/issues", answer=issues),
    ApiRoute(method="DELETE", path="/issues", answer=clear_issues, turn="all"),
    ApiRoute(method="GET", path="/quotas", answer=quotas),
)
"""Every endpoint of this module."""
