"""Counters of the RAG API, as Prometheus reads them."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Metrics:
    """Counts answered requests; written by the event loop alone."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._seconds: defaultdict[tuple[str, str], float] = defaultdict(float)

    def add(self, method: str, path: str, status: int, seconds: float) -> None:
        """Count one answer; the path is that of the route."""
        self._requests[method, path, status] += 1
        self._seconds[method, path] += seconds

    def text(self) -> str:
        """Return every counter in the text exposition format, version 0.0.4.

        Source: https://prometheus.io/docs/instrumenting/exposition_formats/
        """
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        yield "# HELP ragbed_requests_total Requests that were answered."
        yield "# TYPE ragbed_requests_total counter"
        for (method, path, status), count in sorted(self._requests.items()):
            labels = f'method="{method}",path="{path}",status="{status}"'
            yield f"ragbed_requests_total{{{labels}}} {count}"
        yield "# HELP ragbed_request_seconds_total Seconds from a request's arrival to its answer, added up."
        yield "# TYPE ragbed_request_seconds_total counter"
        for (method, path), seconds in sorted(self._seconds.items()):
            yield f'ragbed_request_seconds_total{{method="{method}",path="{path}"}} {seconds:.6f}'
