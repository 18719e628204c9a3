"""Metrics as Prometheus reads them: the text format, and the switch that takes the page away.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from starlette.types import ASGIApp, Receive, Scope, Send

METRICS_VARIABLE = "RAGBED_METRICS__ENABLED"
"""Setting `metrics.enabled`, as our servers read it: our commands put there what the settings say."""

PATH = "/metrics"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_OFF = frozenset({"0", "false", "no", "off"})

Sample = tuple["Mapping[str, object]", float | str]
"""Labels, and a number or its digits."""

Labels = tuple[tuple[str, str], ...]
"""Names and values of labels, in the order that they are shown."""


def metrics_enabled(environ: Mapping[str, str]) -> bool:
    """Tell whether an environment leaves metrics on, by ragbed's own variable or by `METRICS_ENABLED`."""
    value = environ.get(METRICS_VARIABLE) or environ.get("METRICS_ENABLED") or "true"
    return value.strip().lower() not in _OFF


def metric_lines(name: str, kind: str, what: str, samples: Iterable[Sample]) -> Iterator[str]:
    """Yield the lines of one metric; none where it has no sample.

    Args:
        name: Of the metric.
        kind: `counter` or `gauge`.
        what: What it counts, one line.
        samples: Labels and values.
    """
    values = list(samples)
    if values:
        yield f"# HELP {name} {what}\n# TYPE {name} {kind}\n"
        yield from (f"{name}{_labels(labels)} {value}\n" for labels, value in values)


def _labels(labels: Mapping[str, object]) -> str:
    shown = ",".join(f'{name}="{_escaped(str(value))}"' for name, value in labels.items())
    return f"{{{shown}}}" if shown else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


class WithoutMetrics:
    """ASGI middleware that answers 404 where the metrics would be.

    Args:
        app: The application behind it.
        refusal: Returns the JSON body of a refusal, in the server's own shape, from its status, message and path.
    """

    def __init__(self, app: ASGIApp, *, refusal: Callable[[int, str, str], bytes]) -> None:
        self._app = app
        self._body = refusal(404, "metrics are switched off by METRICS_ENABLED", PATH)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass every other request on."""
        if scope["type"] != "http" or scope["path"] != PATH:
            await self._app(scope, receive, send)
            return
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(self._body)).encode())]
        await send({"type": "http.response.start", "status": 404, "headers": headers})
        await send({"type": "http.response.body", "body": self._body})


class Histogram:
    """How long things took, per label set: counts by upper bound, sum and count.

    Args:
        bounds: Upper bounds in seconds, rising.
    """

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = tuple(bounds)
        self._counts: dict[Labels, list[int]] = {}
        self._sums: dict[Labels, float] = {}

    def add(self, labels: Labels, seconds: float) -> None:
        """Count one."""
        counts = self._counts.setdefault(labels, [0] * (len(self._bounds) + 1))
        counts[bisect_left(self._bounds, seconds)] += 1
        self._sums[labels] = self._sums.get(labels, 0.0) + seconds

    def lines(self, name: str, what: str) -> Iterator[str]:
        """Yield the lines of the metric; none where nothing was counted."""
        if self._counts:
            yield f"# HELP {name} {what}\n# TYPE {name} histogram\n"
        for labels, counts in sorted(self._counts.items()):
            shown, below = dict(labels), 0
            for bound, count in zip((*self._bounds, "+Inf"), counts, strict=True):
                below += count
                yield f"{name}_bucket{_labels({**shown, 'le': bound})} {below}\n"
            yield f"{name}_sum{_labels(shown)} {self._sums[labels]:.6f}\n{name}_count{_labels(shown)} {below}\n"
