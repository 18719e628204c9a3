"""Which layer a test is of, and what a session says of its layers and services at its end."""

from __future__ import annotations

from collections import defaultdict
from pathlib import PurePath
from typing import TYPE_CHECKING

import pytest

from ragbed.project import shown_path

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    from ragbed.pytest_plugin.recording import SessionRecording
    from ragbed.stack import Endpoint

AIMS = {"unit": (80, 120.0), "integration": (15, 300.0), "e2e": (5, 600.0)}
"""By layer: how many tests of a hundred are aimed at, and seconds that its suite may take."""

MARKERS = {
    "unit": "tests one part on this machine alone; ragbed refuses it the network",
    "integration": "tests parts together on real stores, with a mock LLM",
    "e2e": "tests the whole application, with a real LLM where there is one",
    "live": "needs a real LLM: `needs(ollama='real')` in a word",
    "needs(**services)": "needs services of a kind: needs(qdrant='server') skips on the embedded Qdrant",
}
_NONE = "no layer"
_SLOW_S = 1.0
_MOST_NAMES = 10


def layer_of(item: pytest.Item) -> str:
    """Return a test's layer: by its marker, else by the nearest folder of that name; empty for none."""
    for layer in AIMS:
        if item.get_closest_marker(layer):
            return layer
    folders = PurePath(item.nodeid.partition("::")[0]).parts[:-1]
    return next((folder for folder in reversed(folders) if folder in AIMS), "")


class LayerMarks:
    """Notes in each report which layer its test is of; in the workers of pytest-xdist too."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Note the layer; it travels with the report."""
        report = yield
        report.ragbed_layer = layer_of(item)  # type: ignore[attr-defined] # travels with the report
        return report


class ClosingLines:
    """Says at the end of a session that uses ragbed what was real, and how its tests lie in the layers.

    Args:
        recording: The session's.
    """

    def __init__(self, recording: SessionRecording) -> None:
        self._recording = recording
        self._layer: dict[str, str] = {}
        self._seconds: defaultdict[str, float] = defaultdict(float)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add up a test's seconds; a skipped one is not a test that ran."""
        self._seconds[report.nodeid] += report.duration
        if report.when == "call" and not report.skipped:
            self._layer[report.nodeid] = getattr(report, "ragbed_layer", "") or _NONE

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Write the lines."""
        run = self._recording.run
        if run is None or not (self._layer or terminalreporter.stats.get("error")):
            return
        if services := _services(run.manifest.endpoints):
            terminalreporter.write_line(f"ragbed: {services}")
        for line in self._lines():
            terminalreporter.write_line(f"ragbed: {line}")
        if run.folder and any(terminalreporter.stats.get(kind) for kind in ("failed", "error")):
            terminalreporter.write_line(f"reproduce: ragbed repro {shown_path(run.folder)}")

    def _lines(self) -> Iterator[str]:
        tests: dict[str, list[str]] = {layer: [] for layer in (*AIMS, _NONE)}
        for test, layer in self._layer.items():
            tests[layer].append(test)
        if not any(tests[layer] for layer in AIMS):
            return
        yield _shares(
            tests, {name: sum(self._seconds[test] for test in names) for name, names in tests.items()}
        )
        slow = {test: self._seconds[test] for test in tests["unit"] if self._seconds[test] > _SLOW_S}
        if slow:
            named = sorted(slow, key=lambda test: -slow[test])[:_MOST_NAMES]
            shown = ", ".join(f"{test} {slow[test]:.1f} s" for test in named)
            yield f"{len(slow)} unit tests took more than {_SLOW_S:g} s: {shown}"


def _services(endpoints: tuple[Endpoint, ...]) -> str:
    """Return what was real and what was not, in words."""
    real = [f"{one.product} {one.version}" for one in endpoints if one.real]
    others = [f"{one.product} {one.version}" for one in endpoints if not one.real]
    told = [f"{what}: {', '.join(names)}" for what, names in (("real", real), ("not real", others)) if names]
    return "; ".join(told)


def _shares(tests: Mapping[str, list[str]], seconds: Mapping[str, float]) -> str:
    """Return each layer's tests with their share beside the aim, and their seconds beside the limit."""
    layered = sum(len(tests[layer]) for layer in AIMS)
    parts = [
        f"{layer} {len(tests[layer])} ({100 * len(tests[layer]) / layered:.0f} % of {share} %,"
        f" {seconds[layer]:.0f} s of {limit_s:.0f} s)"
        for layer, (share, limit_s) in AIMS.items()
    ]
    if tests[_NONE]:
        parts.append(f"{_NONE} {len(tests[_NONE])}")
    return f"tests by layer: {', '.join(parts)}"


def skip_unless_there(item: pytest.Item) -> None:
    """Skip a test whose markers `needs` or `live` ask for a service that the stack has not as they want it.

    Raises:
        pytest.UsageError: The marker names no service, or wants what is not `server`, `real` or `substitute`.
    """
    wanted: dict[str, str] = {}
    for marker in item.iter_markers("needs"):
        wanted.update(marker.kwargs)
    if item.get_closest_marker("live"):
        wanted.setdefault("ollama", "real")
    if not wanted:
        return
    stack = item._request.getfixturevalue("ragbed_stack")  # type: ignore[attr-defined] # noqa: SLF001 - as pytest's own plugins do
    for service, kind in wanted.items():
        if service not in stack.endpoints or kind not in {"server", "real", "substitute"}:
            known = ", ".join(stack.endpoints)
            raise pytest.UsageError(
                f"needs({service}={kind!r}): the services are {known}, each 'server' (or 'real') or 'substitute'"
            )
        endpoint = stack[service]
        if endpoint.real is (kind == "substitute"):
            what = "a substitute" if kind == "substitute" else f"a real {service}"
            pytest.skip(f"needs {what}, and the stack has {endpoint.product} {endpoint.version}")
