"""Metrics as Prometheus reads them: the text format, and the switch that takes the page away.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

METRICS_VARIABLE = "RAGBED_METRICS__ENABLED"
"""Setting `metrics.enabled`, as our servers read it: our commands put there what the settings say."""

PATH = "/metrics"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_OFF = frozenset({"0", "false", "no", "off"})

Sample = tuple["Mapping[str, object]", float | str]
"""Labels, and a number or its digits."""


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
