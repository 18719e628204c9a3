"""A test session is a run: where its tests use ragbed, it leaves a manifest, an event per test and an outcome."""

from __future__ import annotations

import os
import time
from collections import Counter, defaultdict
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from ragbed.errors import RagbedError
from ragbed.events import TestId, within_test
from ragbed.pytest_plugin.layers import layer_of

if TYPE_CHECKING:
    from collections.abc import Generator

    from ragbed.errors import ErrorJson
    from ragbed.runs import Outcome, OutcomeStatus, RunRecorder
    from ragbed.runs.event_recorder import EventRecorder

RECORDING = pytest.StashKey["Recording"]()

RUN_INPUT = "ragbed_run"
"""What the process that has the workers tells each: the run's id, and its own process id."""
ENDPOINTS_OUTPUT = "ragbed_endpoints"
"""What a worker tells at its end: where services answered."""

_MARKERS = ("smoke",)
_FIXTURES = "ragbed_"
_STATUSES: dict[int, OutcomeStatus] = {
    pytest.ExitCode.OK: "passed",
    pytest.ExitCode.TESTS_FAILED: "failed",
    pytest.ExitCode.NO_TESTS_COLLECTED: "skipped",
}
_MOST_NAMES = 20
"""So many failed tests are named in the outcome; the events name them all."""


class Recording(Protocol):
    """What a process of the session knows of its run."""

    @property
    def run(self) -> EventRecorder | None:
        """Takes the process's events; None where the session is not recorded, or not yet."""


class TestMarks:
    """Says in each report whether its test uses ragbed and of which layer it is, and lets events in a test name it.

    Works in the workers of pytest-xdist too, whose reports reach the process that records.
    """

    __test__ = False

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Let the events of a test name it."""
        with within_test(TestId(item.nodeid)):
            return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        """Take over the calls of language models in a test, before the end of its fixtures may end the server."""
        if uses_ragbed(item) and (run := item.config.stash[RECORDING].run):
            run.read_calls(test=item.nodeid)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Note in the report whether its test uses a fixture or a marker of ours, and its layer."""
        report = yield
        report.uses_ragbed = uses_ragbed(item)  # type: ignore[attr-defined] # travels with the report
        report.ragbed_layer = layer_of(item)  # type: ignore[attr-defined] # as above
        return report


def uses_ragbed(item: pytest.Item) -> bool:
    """Tell whether a test uses a fixture or a marker of ours."""
    fixtures = getattr(item, "fixturenames", ())
    return any(name.startswith(_FIXTURES) for name in fixtures) or any(
        item.get_closest_marker(marker) for marker in _MARKERS
    )


class SessionRecording:
    """Records a test session, from the moment at which it is known to use ragbed.

    Args:
        config: Pytest's.

    Attributes:
        run: Takes the session's events; None where it is not recorded, or not yet.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.run: RunRecorder | None = None
        self._id = ""
        self._config = config
        self._open = ExitStack()
        self._began = time.monotonic()
        self._status: dict[str, str] = {}
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._message: dict[str, str] = {}

    def pytest_sessionstart(self) -> None:
        """Begin at once in a project that has a `ragbed.toml`."""
        from ragbed.project import project_folder  # noqa: PLC0415 - costs nothing where no test uses ragbed
        from ragbed.settings.source import PROJECT_FILE  # noqa: PLC0415 - as above

        try:
            if (project_folder() / PROJECT_FILE).is_file():
                self._begin()
        except RagbedError:  # another user's folder: tests that need ragbed say so
            return

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Begin where a test that was collected uses ragbed."""
        if any(map(uses_ragbed, session.items)):
            self._begin()

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker the run's id, under which it keeps its events where its tests use ragbed."""
        from ragbed.runs.run_id import new_run_id  # noqa: PLC0415 - as above

        self._id = self._id or (self.run.id if self.run else new_run_id())
        node.workerinput[RUN_INPUT] = {"run": self._id, "writer": os.getpid()}

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any) -> None:
        """Begin where a worker has found tests that use ragbed: no test has begun yet."""
        if not self.run and self._announced(node.workerinput[RUN_INPUT]):
            self._begin()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over where the services of a worker answered."""
        from ragbed.stack import Endpoint  # noqa: PLC0415 - as above

        endpoints = getattr(node, "workeroutput", {}).get(ENDPOINTS_OUTPUT)
        if endpoints and self.run:
            self.run.names(map(Endpoint.from_json, endpoints))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take a report; the one of a test's end makes an event. A worker's first one of ours begins the run."""
        if getattr(report, "uses_ragbed", False):
            self._begin()
        test = report.nodeid
        self._seconds[test] += report.duration
        if report.when == "call" or not report.passed:
            self._status[test] = _status(report)
            if report.failed:
                self._message[test] = _message(report)
        if report.when == "teardown" and self.run:
            self._end_test(test)

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """End the run with what the session came to."""
        if self.run:
            self.run.outcome(self._outcome(int(exitstatus)))
        self._open.close()

    def _announced(self, told: dict[str, Any]) -> bool:
        from ragbed.runs.history import unfinished_folder  # noqa: PLC0415 - as above
        from ragbed.state import find_state_folder  # noqa: PLC0415 - as above

        try:
            return unfinished_folder(find_state_folder(), told["run"], told["writer"]).is_dir()
        except RagbedError:
            return False

    def _begin(self) -> None:
        """Begin the run, once, unless tests are only listed or the settings are wrong, which tests then say."""
        if self.run or self._config.option.collectonly:
            return
        from ragbed.project import project_folder  # noqa: PLC0415 - as above
        from ragbed.runs import recorded_run  # noqa: PLC0415 - as above
        from ragbed.settings import resolve_settings  # noqa: PLC0415 - as above
        from ragbed.state import find_state_folder  # noqa: PLC0415 - as above

        try:
            settings = resolve_settings(folder=project_folder())
            words = ("pytest", *map(str, self._config.invocation_params.args))
            self.run = self._open.enter_context(
                recorded_run("pytest", settings, find_state_folder(), command=words, run=self._id)
            )
        except RagbedError:
            return

    def _end_test(self, test: str) -> None:
        if not self.run:
            return
        status = self._status.get(test, "passed")
        told = {"message": self._message[test]} if test in self._message else {}
        with within_test(TestId(test)):
            self.run.sink.emit("test.ended", test, seconds=self._seconds.pop(test), status=status, **told)

    def _outcome(self, exit_code: int) -> Outcome:
        from ragbed.runs import Outcome  # noqa: PLC0415 - as above

        counts = Counter(self._status.values())
        bad = [test for test, status in self._status.items() if status in {"failed", "errored"}]
        failure: ErrorJson | None = None
        if exit_code not in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
            failure = {
                "kind": "TestsFailed" if bad else "SessionFailed",
                "message": f"{len(bad)} tests failed" if bad else f"pytest ended with {exit_code}",
                "details": bad[:_MOST_NAMES],
                "hint": "",
                "exit_code": exit_code,
            }
        return Outcome(
            subject="pytest",
            status=_STATUSES.get(exit_code, "errored"),
            seconds=time.monotonic() - self._began,
            failure=failure,
            facts={status: counts[status] for status in ("passed", "failed", "errored", "skipped")},
        )


def _status(report: pytest.TestReport) -> str:
    if report.failed:
        return "failed" if report.when == "call" else "errored"
    return "skipped" if report.skipped else "passed"


def _message(report: pytest.TestReport) -> str:
    """Return the first line of what a test failed with."""
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash else report.longreprtext
    return next(iter(text.splitlines()), "")
