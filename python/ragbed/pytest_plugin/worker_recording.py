"""What a worker of pytest-xdist adds to the session's run: the events of its fixtures, in a file of its own."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pytest

from ragbed.errors import RagbedError
from ragbed.pytest_plugin.recording import ENDPOINTS_OUTPUT, RUN_INPUT, uses_ragbed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ragbed.runs.event_recorder import EventRecorder
    from ragbed.stack import Endpoint


class WorkerRecording:
    """Joins the run of the process that has the workers.

    Args:
        config: Pytest's.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._open = ExitStack()
        self._told: dict[str, Any] = config.workerinput.get(RUN_INPUT, {})  # type: ignore[attr-defined] # xdist's

    @cached_property
    def run(self) -> EventRecorder | None:
        """Takes the worker's events; None where the session is not recorded."""
        from ragbed.project import project_folder  # noqa: PLC0415 - costs nothing where no test uses ragbed
        from ragbed.runs.event_recorder import joined_run  # noqa: PLC0415 - as above
        from ragbed.settings import resolve_settings  # noqa: PLC0415 - as above
        from ragbed.state import find_state_folder  # noqa: PLC0415 - as above

        if not self._told:
            return None
        try:
            settings = resolve_settings(folder=project_folder())
            folder = find_state_folder().runs / self._told["run"]
        except RagbedError:  # tests that need ragbed say so
            return None
        worker: str = self._config.workerinput["workerid"]  # type: ignore[attr-defined] # xdist's
        return self._open.enter_context(joined_run(self._told["run"], folder, settings, worker=worker))

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Announce that tests use ragbed, before the process that has the workers hears that all are collected."""
        if self._told and any(map(uses_ragbed, session.items)):
            with suppress(OSError, RagbedError):
                self._announce()

    def pytest_sessionfinish(self) -> None:
        """Close the file, and hand on where services answered."""
        if "run" in self.__dict__ and self.run and self.run.endpoints:
            self._config.workeroutput[ENDPOINTS_OUTPUT] = _plain(self.run.endpoints)  # type: ignore[attr-defined] # xdist's
        self._open.close()

    def _announce(self) -> None:
        """Make the folder in which the run's own will be made, unless that is there already."""
        from ragbed.runs.history import unfinished_folder  # noqa: PLC0415 - as above
        from ragbed.state import find_state_folder  # noqa: PLC0415 - as above

        folder = find_state_folder().prepared()
        folder.runs.mkdir(exist_ok=True, mode=0o700)
        made, mark = folder.runs / self._told["run"], unfinished_folder(folder, **self._told)
        if not made.exists():
            mark.mkdir(exist_ok=True, mode=0o700)
        if made.exists() and mark.exists():  # it was made, and renamed, between the two looks
            mark.rmdir()


def _plain(endpoints: Iterable[Endpoint]) -> list[dict[str, Any]]:
    """Return endpoints as xdist passes them on, without passwords."""
    return [endpoint.to_shown_json() for endpoint in endpoints]
