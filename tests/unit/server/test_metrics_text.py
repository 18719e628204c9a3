"""The counters of the RAG API."""

from __future__ import annotations

from ragbed.server.metrics import Metrics


def test_counts_go_up_by_method_path_and_status() -> None:
    """Answers of one kind are one number."""
    metrics = Metrics()
    for status in (200, 200, 503):
        metrics.add("GET", "/health", status, 0.25)

    assert metrics.text().splitlines() == [
        "# HELP ragbed_requests_total Requests that were answered.",
        "# TYPE ragbed_requests_total counter",
        'ragbed_requests_total{method="GET",path="/health",status="200"} 2',
        'ragbed_requests_total{method="GET",path="/health",status="503"} 1',
        "# HELP ragbed_request_seconds_total Seconds from a request's arrival to its answer, added up.",
        "# TYPE ragbed_request_seconds_total counter",
        'ragbed_request_seconds_total{method="GET",path="/health"} 0.750000',
    ]
