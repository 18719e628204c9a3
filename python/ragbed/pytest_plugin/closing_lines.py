"""What a session says at its end of its services and layers, and how to make a failure again."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from ragbed.project import shown_path
from ragbed.pytest_plugin.layers import AIMS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pytest

    from ragbed.pytest_plugin.recording import SessionRecording
    from ragbed.stack import Endpoint

_NONE = "no layer"
_SLOW_S = 1.0
_MOST_NAMES = 10


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
