"""A service of the run that ends half-way is what the failure tells of."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from ragbed.runs import recorded_run
from ragbed.settings import resolve_settings
from ragbed.smoke.plan import SmokeOptions
from ragbed.smoke.runner import run_smoke
from ragbed.stack.leases import Leases
from ragbed.state import StateFolder

if TYPE_CHECKING:
    from pathlib import Path

    from ragbed.events import Event, Listener


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    """A state folder."""
    return StateFolder(root=tmp_path / "state")


def killer(folder: StateFolder, service: str) -> Listener:
    """Return what kills a service of the run once the corpus has been read."""

    def listen(event: Event) -> None:
        if (event.kind, event.subject) != ("stage.ended", "corpus"):
            return
        (lease,) = [lease for lease in Leases(folder).all() if lease.service == service]
        assert lease.resource.process
        os.kill(lease.resource.process.pid, signal.SIGKILL)

    return listen


@pytest.mark.parametrize(
    ("service", "stage"),
    [("ollama", "embed"), ("qdrant", "index"), ("postgres", "index")],
    ids=["ollama", "qdrant", "postgres"],
)
def test_a_service_that_ended_is_named_with_its_end_and_its_log(
    service: str, stage: str, folder: StateFolder, tmp_path: Path
) -> None:
    """Not only that nobody listens any more, which is how the stage noticed."""
    settings = resolve_settings(folder=tmp_path, environ={"RAGBED_STACK__DEFAULT_PORTS": "false"})

    with recorded_run("smoke", settings, folder, killer(folder, service)) as run:
        report = run_smoke(settings, folder, SmokeOptions(), run)

    assert report.failure
    assert report.failure.stage == stage
    assert report.failure.message.startswith(f"{service} of this run ended (killed by signal 9): ")
    (log,) = folder.logs.glob(f"*/{service}.log")
    assert f"log of {service}: {log}" in report.failure.details
    assert report.failure.hint == f"read the log, {log}"
