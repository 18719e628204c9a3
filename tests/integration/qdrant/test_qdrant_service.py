"""What the server says about itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qdrant_client.http import models as http_models

if TYPE_CHECKING:
    import httpx
    from qdrant_client import QdrantClient


def test_metrics_are_in_prometheus_text(http: httpx.Client, plain: str) -> None:
    """A type line before each metric; a collection's points under its name."""
    answer = http.get("/metrics")

    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    lines = answer.text.splitlines()
    assert f'collection_points{{id="{plain}"}} 6' in lines
    assert {line.split("{")[0].split()[0] for line in lines if not line.startswith("#")} == {
        line.split()[2] for line in lines if line.startswith("# TYPE")
    }


def test_metrics_without_names(http: httpx.Client, plain: str) -> None:
    """Where they are not to be told; a word that is neither yes nor no is refused."""
    told = [http.get(f"/metrics?anonymize={word}") for word in ("true", "false", "perhaps")]

    assert [plain in answer.text for answer in told] == [False, True, False]
    assert [answer.status_code for answer in told] == [200, 200, 400]


def test_telemetry_is_what_the_client_reads(http: httpx.Client, plain: str) -> None:
    """With the calls so far."""
    assert plain
    told = http_models.TelemetryData.model_validate(http.get("/telemetry?details_level=1").json()["result"])

    assert told.collections.number_of_collections >= 1
    assert told.requests is not None
    assert told.requests.rest.responses["PUT /collections/{collection_name}"]["200"].count >= 1


def test_collection_is_one_shard_here(client: QdrantClient, plain: str) -> None:
    """Active, with all the points."""
    told = client.collection_cluster_info(plain)

    assert [(shard.points_count, shard.state.value) for shard in told.local_shards] == [(6, "Active")]


def test_nothing_is_optimized_in_a_small_collection(client: QdrantClient, plain: str) -> None:
    """No optimization is queued or under way."""
    told = client.get_optimizations(plain)

    assert (told.summary.queued_optimizations, told.running) == (0, [])


def test_there_is_no_cluster_no_issue_and_no_quota(client: QdrantClient, http: httpx.Client) -> None:
    """Said as a server of one node says it."""
    assert client.cluster_status().status == "disabled"
    assert http.get("/issues").json()["result"] == {"issues": []}
    assert http.delete("/issues").json()["result"] is True
    assert http_models.QuotaStatus.model_validate(http.get("/quotas").json()["result"]).peers is None
