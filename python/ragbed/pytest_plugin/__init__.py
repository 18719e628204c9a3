"""Fixtures for tests that want real services and the reference pipeline.

`ragbed_stack` is a stack for the test session: the one of `ragbed up` where it runs, else one of the session's own,
which the workers of pytest-xdist share.
`ragbed_environ` sets `DATABASE_URL` and the others to that stack, for an application that reads them.
`ragbed_pipeline` is a pipeline on it whose namespace belongs to one test.
`ragbed_postgres`, `ragbed_redis`, `ragbed_qdrant` and `ragbed_llm` are stores of one test's own: a migrated database,
an empty Redis, an embedded Qdrant without collections, a mock LLM without rules. `ragbed_world` is all of them.
"""

from __future__ import annotations

import os
import secrets
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ragbed.errors import RagbedError
from ragbed.escaping import terminal_text
from ragbed.events import SILENT
from ragbed.pytest_plugin.closing_lines import ClosingLines
from ragbed.pytest_plugin.layers import MARKERS as LAYER_MARKERS
from ragbed.pytest_plugin.layers import skip_unless_there
from ragbed.pytest_plugin.recording import RECORDING, SessionRecording, TestMarks
from ragbed.pytest_plugin.sequence import OPTION as SEQUENCE_OPTION
from ragbed.pytest_plugin.sequence import SequenceRecording, SequenceReplay
from ragbed.pytest_plugin.stores import (
    MIGRATIONS_OPTION,
    ragbed_database_clones,
    ragbed_llm,
    ragbed_llm_server,
    ragbed_migrations,
    ragbed_postgres,
    ragbed_postgres_schema,
    ragbed_postgres_transaction,
    ragbed_redis,
    ragbed_redis_server,
    ragbed_worker_database,
    ragbed_world,
)
from ragbed.pytest_plugin.worker_recording import WorkerRecording

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    from ragbed.pipeline import Pipeline
    from ragbed.pytest_plugin.network_guard.guard import NetworkGuard
    from ragbed.settings import Settings
    from ragbed.stack import Stack

__all__ = [
    "ragbed_database_clones",
    "ragbed_environ",
    "ragbed_llm",
    "ragbed_llm_server",
    "ragbed_migrations",
    "ragbed_pipeline",
    "ragbed_postgres",
    "ragbed_postgres_schema",
    "ragbed_postgres_transaction",
    "ragbed_qdrant",
    "ragbed_qdrant_server",
    "ragbed_redis",
    "ragbed_redis_server",
    "ragbed_settings",
    "ragbed_stack",
    "ragbed_worker_database",
    "ragbed_world",
]

LEAKS_OPTION = "--ragbed-leaks"

_NOT_THERE_YET = pytest.StashKey[tuple[str, ...]]()
_OUTPUT = "ragbed_not_there_yet"
"""What a worker of pytest-xdist hands to the process that has the workers."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what an ini file may say, and the option that says how the fixtures' services are started."""
    parser.addini(
        MIGRATIONS_OPTION,
        "What a test's database starts with: a folder with alembic.ini or *.sql files, an .sql file or a dump, from the"
        " root folder on.",
        default="",
    )
    parser.getgroup("ragbed").addoption(
        SEQUENCE_OPTION,
        metavar="RUN",
        help="Run the tests of a recorded run again: the same tests in the same worker at the same position. A run's"
        " folder (.ragbed/runs/ID), a folder of record files, or one record file.",
    )
    parser.getgroup("ragbed").addoption(
        LEAKS_OPTION,
        choices=["off", "warn", "fail"],
        default="off",
        help="What a test that leaves something behind gets: a warning, or a failure. Threads, child processes,"
        " sockets, files in the working folder, content of shared stores.",
    )
    parser.getgroup("ragbed").addoption(
        "--ragbed-launcher",
        action="append",
        default=[],
        metavar="[SERVICE=]NAME",
        help="How the services of ragbed's fixtures come to run: attach, process or container; may be repeated.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register our marker, and record the session; workers of pytest-xdist add their events to the same run."""
    config.addinivalue_line("markers", "smoke: proves a whole RAG pipeline on live services")
    for marker, meaning in LAYER_MARKERS.items():
        config.addinivalue_line("markers", f"{marker}: {meaning}")
    if guard := _network_guard():
        config.pluginmanager.register(guard, "ragbed-network-guard")
    config.pluginmanager.register(TestMarks(), "ragbed-marks")
    recording = WorkerRecording(config) if hasattr(config, "workerinput") else SessionRecording(config)
    config.stash[RECORDING] = recording
    config.pluginmanager.register(recording, "ragbed-recording")
    if isinstance(recording, SessionRecording):
        config.pluginmanager.register(SequenceRecording(recording), "ragbed-sequence-recording")
        config.pluginmanager.register(ClosingLines(recording), "ragbed-closing-lines")
    if (answer := config.getoption(LEAKS_OPTION)) != "off":
        from ragbed.pytest_plugin.leaks import LeakCheck  # noqa: PLC0415 - costs nothing where it is off

        config.pluginmanager.register(LeakCheck(answer), "ragbed-leaks")
    if place := config.getoption(SEQUENCE_OPTION):
        config.pluginmanager.register(SequenceReplay(Path(place)), "ragbed-sequence")


def _network_guard() -> NetworkGuard | None:
    """Return the guard for a project that uses ragbed, or where a variable asks for it."""
    from ragbed.project import project_folder  # noqa: PLC0415 - costs nothing where no project uses ragbed
    from ragbed.settings.source import PROJECT_FILE  # noqa: PLC0415 - as above

    try:
        if "FAIL_ON_REAL_API_CALL" not in os.environ and not (project_folder() / PROJECT_FILE).is_file():
            return None
        from ragbed.pytest_plugin.network_guard.guard import network_guard  # noqa: PLC0415 - as above

        return network_guard()
    except RagbedError:  # a wrong setting, or another user's folder: tests that need ragbed say so
        return None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Tell once what the settings ask for and is not there yet; a warning would fail runs that take them as errors."""
    for line in config.stash.get(_NOT_THERE_YET, ()):
        terminalreporter.write_line(f"ragbed: {line}")


@pytest.hookimpl(trylast=True)  # a test that another plugin skips starts no stack
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose markers ask for a service that is not there as they want it."""
    skip_unless_there(item)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a worker of pytest-xdist has to tell."""
    if lines := getattr(node, "workeroutput", {}).get(_OUTPUT):
        node.config.stash[_NOT_THERE_YET] = tuple(lines)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show an error of ours in a fixture as the command line does: what happened, the evidence, what to do.

    The frames between fixture and error are ragbed's and pytest's own; `--full-trace` shows them.
    """
    report = yield
    error = call.excinfo.value if call.excinfo and call.when != "call" else None
    if isinstance(error, RagbedError) and not item.config.getoption("fulltrace", default=False):
        shown = error if item.config.get_verbosity() > 1 else error.shortened()
        report.longrepr = terminal_text(f"ragbed: {shown.render()}")
    return report


@pytest.fixture(scope="session")
def ragbed_settings(request: pytest.FixtureRequest) -> Settings:
    """Return the settings as ragbed resolves them; override it to give a session others."""
    from ragbed.settings import not_there_yet, resolve_settings  # noqa: PLC0415 - costs nothing where it is not asked
    from ragbed.stack import project_folder  # noqa: PLC0415 - as above
    from ragbed.stack.launcher_setting import launcher_flags  # noqa: PLC0415 - as above

    flags = launcher_flags(request.config.getoption("--ragbed-launcher"))
    settings = resolve_settings(folder=project_folder(), flags=flags)
    for line in settings.notes:
        warnings.warn(line, stacklevel=1)
    lines = request.config.stash[_NOT_THERE_YET] = not_there_yet(settings)
    if hasattr(request.config, "workeroutput"):  # a worker's own summary is not shown
        request.config.workeroutput[_OUTPUT] = list(lines)
    return settings


@pytest.fixture(scope="session")
def ragbed_stack(ragbed_settings: Settings, request: pytest.FixtureRequest) -> Iterator[Stack]:
    """Yield a stack that is up, by service name: `ragbed_stack["postgres"].url`.

    The workers of pytest-xdist share one: the first that needs it starts it, the last one stops it.
    """
    from ragbed.settings import server_environ  # noqa: PLC0415 - as above
    from ragbed.stack import running_stack  # noqa: PLC0415 - as above

    run = getattr(request.config, "workerinput", {}).get("testrunuid", "")
    recorder = request.config.stash[RECORDING].run
    events = recorder.sink if recorder else SILENT
    with (
        _set(server_environ(ragbed_settings)),
        running_stack(ragbed_settings, caller="pytest", run=run, events=events) as stack,
    ):
        if recorder:
            recorder.uses(stack.endpoints.values())
        yield stack


@pytest.fixture
def ragbed_environ(ragbed_stack: Stack, ragbed_settings: Settings) -> Iterator[dict[str, str]]:
    """Set what `ragbed env` prints, such as `DATABASE_URL`, yield it, and put back after the test what was there."""
    from ragbed.settings import application_environ  # noqa: PLC0415 - as above

    environ = {**ragbed_stack.environ, **application_environ(ragbed_settings)}
    with _set(environ):  # of its own: a test's `monkeypatch.undo()` leaves it
        yield environ


@contextmanager
def _set(environ: Mapping[str, str]) -> Iterator[None]:
    """Set variables, and put back what was there."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environ.items():
            patch.setenv(name, value)
        yield


@pytest.fixture
def ragbed_pipeline(ragbed_stack: Stack, ragbed_settings: Settings) -> Iterator[Pipeline]:
    """Yield a migrated pipeline that no other test sees; what it wrote is dropped after the test."""
    from ragbed.pipeline import open_pipeline  # noqa: PLC0415 - as above
    from ragbed.pipeline.on_stack import pipeline_config  # noqa: PLC0415 - as above
    from ragbed.state import find_state_folder  # noqa: PLC0415 - as above

    config = pipeline_config(
        ragbed_stack,
        ragbed_settings,
        folder=find_state_folder(),
        namespace=f"test_{secrets.token_hex(6)}",
    )
    with open_pipeline(config) as pipeline:
        pipeline.migrate()
        try:
            yield pipeline
        finally:
            pipeline.drop()


@pytest.fixture(scope="session")
def ragbed_qdrant_server() -> Iterator[str]:
    """Yield the address of an embedded Qdrant of the session's own, in memory where there is room for that."""
    from ragbed.qdrant import running  # noqa: PLC0415 - as above

    with running() as url:
        yield url


@pytest.fixture
def ragbed_qdrant(ragbed_qdrant_server: str) -> Iterator[str]:
    """Yield the address of an embedded Qdrant without collections; what the test makes is deleted after it.

    One server serves the session (under pytest-xdist, each worker's), so a test costs its collections, not a start.
    """
    from ragbed.qdrant.session import clear  # noqa: PLC0415 - as above

    yield ragbed_qdrant_server
    clear(ragbed_qdrant_server)
