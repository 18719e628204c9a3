"""Counters of the RAG API, as Prometheus reads them."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from ragbed.prometheus import metric_lines

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
        """Return every counter in the text format."""
        return "".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield from metric_lines(
            "ragbed_requests_total",
            "counter",
            "Requests that were answered.",
            (
                ({"method": method, "path": path, "status": status}, count)
                for (method, path, status), count in sorted(self._requests.items())
            ),
        )
        yield from metric_lines(
            "ragbed_request_seconds_total",
            "counter",
            "Seconds from a request's arrival to its answer, added up.",
            (
                ({"method": method, "path": path}, f"{seconds:.6f}")
                for (method, path), seconds in sorted(self._seconds.items())
            ),
        )
