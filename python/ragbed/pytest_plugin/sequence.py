"""Which process ran which tests in which order: written as it happens, and run again just so.

A seed alone does not repeat it: which of several workers gets a test depends on how long others took.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from ragbed.pytest_plugin.sequence_scheduling import SequenceScheduling, require_tests

if TYPE_CHECKING:
    from pathlib import Path

    from ragbed.pytest_plugin.recording import SessionRecording

OPTION = "--ragbed-sequence"
MAIN = "main"
"""The process of a session without pytest-xdist."""

_SUFFIX = ".jsonl"


class SequenceRecording:
    """Writes a file per process into the session's run, two lines a test: its start, and its end with the outcome.

    Source: the record files of pytest-replay, which reads these too.

    Args:
        recording: The session's.
    """

    def __init__(self, recording: SessionRecording) -> None:
        self._recording = recording
        self._began = time.monotonic()
        self._start: dict[str, float] = {}
        self._status: dict[str, str] = {}
        self._waiting: list[tuple[str, str]] = []

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodeready(self, node: Any) -> None:
        """Note that there is such a worker, though it may get no test."""
        self._write(node.gateway.id, "")

    @pytest.hookimpl(trylast=True)  # a report may begin the run
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write a test's start, and its end."""
        test, now = report.nodeid, round(time.monotonic() - self._began, 4)
        node = getattr(report, "node", None)
        worker = node.gateway.id if node else MAIN
        if report.when == "setup":
            self._start[test] = round(now - report.duration, 4)
            self._write(worker, json.dumps({"nodeid": test, "start": self._start[test]}))
        if report.failed or (report.when != "teardown" and self._status.get(test) != "failed"):
            self._status[test] = report.outcome
        if report.when == "teardown":
            value = {"nodeid": test, "start": self._start.pop(test, now), "finish": now}
            self._write(worker, json.dumps({**value, "outcome": self._status.pop(test, report.outcome)}))

    def _write(self, worker: str, line: str) -> None:
        self._waiting.append((worker, line))
        folder = self._recording.run.folder if self._recording.run else None
        if folder is None:  # not a run of ragbed's, or not yet
            return
        from ragbed.runs.history import ARTIFACTS, SEQUENCE  # noqa: PLC0415 - costs nothing where no test uses ragbed

        try:
            (folder / ARTIFACTS / SEQUENCE).mkdir(mode=0o700, exist_ok=True)
            for name, text in self._waiting:
                with (folder / ARTIFACTS / SEQUENCE / f"{name}{_SUFFIX}").open("a", encoding="utf-8") as file:
                    file.write(f"{text}\n" if text else "")
        except OSError:  # a full disk: the recorder says so
            return
        finally:
            self._waiting.clear()


class SequenceReplay:
    """Runs the tests of recorded processes: the same tests, in the same process, at the same position.

    Args:
        place: What `--ragbed-sequence` names.

    Raises:
        pytest.UsageError: It holds no sequence.
    """

    def __init__(self, place: Path) -> None:
        self.tests = read_sequences(place)
        self._place = place

    @pytest.hookimpl(trylast=True)  # after plugins that shuffle
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Without pytest-xdist, keep the one process's tests in their order."""
        if hasattr(config, "workerinput"):
            return  # the process that has the workers hands out the tests
        if len(self.tests) > 1:
            raise pytest.UsageError(
                f"{self._place} was recorded with {len(self.tests)} workers: add -n {len(self.tests)}"
            )
        by_id = {item.nodeid: item for item in items}
        ((_, wanted),) = self.tests.items()
        require_tests(wanted, by_id)
        kept = [by_id.pop(test) for test in wanted]
        config.hook.pytest_deselected(items=list(by_id.values()))
        items[:] = kept

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config) -> Any:
        """With it, hand each worker what the worker of its name ran."""
        from xdist.workermanage import parse_tx_spec_config  # noqa: PLC0415 - only where it asks

        workers = len(parse_tx_spec_config(config))
        if workers != len(self.tests):
            pytest.exit(
                f"{self._place} was recorded with {len(self.tests)} workers, and not with {workers}: take -n"
                f" {len(self.tests)}",
                returncode=pytest.ExitCode.USAGE_ERROR,
            )
        return SequenceScheduling(list(self.tests.values()))


def read_sequences(place: Path) -> dict[str, list[str]]:
    """Return the tests of each process in the order in which they began.

    Args:
        place: A run's folder, a folder of record files, or one record file.

    Raises:
        pytest.UsageError: There is no record.
    """
    from ragbed.runs.history import ARTIFACTS, SEQUENCE  # noqa: PLC0415 - costs nothing where it is not asked

    folder = next((one for one in (place / ARTIFACTS / SEQUENCE, place) if one.is_dir()), None)
    files = sorted(folder.glob(f"*{_SUFFIX}"), key=_worker_number) if folder else [place]
    try:
        tests = {file.stem: _tests_of(file) for file in files}
    except (OSError, ValueError) as error:
        raise pytest.UsageError(f"{OPTION}: {place} cannot be read: {error}") from error
    if not any(tests.values()):
        raise pytest.UsageError(f"{OPTION}: {place} holds no sequence of tests")
    return tests


def _worker_number(file: Path) -> int:
    return int("".join(filter(str.isdigit, file.stem)) or 0)


def _tests_of(file: Path) -> list[str]:
    """Return the tests of a record, each once; its last line may be cut short."""
    tests: dict[str, None] = {}
    lines = file.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        try:
            tests[str(json.loads(line)["nodeid"])] = None
        except (ValueError, TypeError, KeyError):
            if number < len(lines) - 1:
                raise ValueError(f"line {number + 1} of {file.name} is not a record") from None
    return list(tests)
