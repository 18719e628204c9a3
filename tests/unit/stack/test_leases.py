"""Processes by identity, and leases: only what a dead command left is ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ragbed.stack import StateFolder
from ragbed.stack.leases import TOKEN_VARIABLE, Lease, Leases
from ragbed.stack.processes import ProcessIdentity, find_inside, find_marked, stop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SLEEPER = "import sys, time; print('up', flush=True); time.sleep(600)"
DEAF = "import signal, sys, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    """A prepared state folder."""
    return StateFolder(tmp_path / "state").prepared()


class Sleepers:
    """Processes that sleep until they are ended."""

    def __init__(self) -> None:
        self.started: list[subprocess.Popen[str]] = []

    def start(
        self, code: str = SLEEPER, *, cwd: Path | None = None, token: str = ""
    ) -> subprocess.Popen[str]:
        """Start one and return once it sleeps."""
        environ = {**os.environ, **({TOKEN_VARIABLE: token} if token else {})}
        process = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=cwd, env=environ
        )
        self.started.append(process)
        assert process.stdout is not None
        process.stdout.readline()
        return process


@pytest.fixture
def sleepers() -> Iterator[Sleepers]:
    """Starts sleeping processes, and ends what the test left of them."""
    sleepers = Sleepers()
    yield sleepers
    for process in sleepers.started:
        with process:
            process.kill()


def dead() -> ProcessIdentity:
    """Return the identity of a process that has gone."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        identity = ProcessIdentity.of(process.pid)
        process.wait()
    return identity


def lease_of(
    folder: StateFolder, process: subprocess.Popen[str] | None, owner: ProcessIdentity, *, keep: bool = False
) -> Lease:
    """Write a lease, with data, of a process that an owner started."""
    data = folder.data / "stack" / "redis"
    data.mkdir(parents=True, exist_ok=True)
    leases = Leases(folder)
    lease = leases.open("redis", "stack", owner=owner, data=data, keep=keep, stop_signal=signal.SIGTERM)
    return leases.started(lease, process.pid) if process else lease


def test_this_process_is_alive_and_a_dead_one_is_not() -> None:
    """An identity follows its process to its end."""
    assert ProcessIdentity.of(os.getpid()).is_alive()
    assert not dead().is_alive()


def test_a_zombie_is_not_alive(sleepers: Sleepers) -> None:
    """A process that has ended and was not waited for runs no more."""
    process = sleepers.start()
    identity = ProcessIdentity.of(process.pid)

    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

    assert not identity.is_alive()


def test_a_reused_pid_is_another_process(sleepers: Sleepers) -> None:
    """The same number with another start is not alive, and stopping it does no harm to its successor."""
    process = sleepers.start()
    predecessor = ProcessIdentity(process.pid, "another boot:1")

    stop(predecessor)

    assert not predecessor.is_alive()
    assert process.poll() is None


def test_a_process_that_will_not_hear_is_killed(sleepers: Sleepers) -> None:
    """After the time to end has passed, a process that ignores the request is killed."""
    process = sleepers.start(DEAF)

    stop(ProcessIdentity.of(process.pid), timeout_s=0.1)

    assert process.wait(5) == -signal.SIGKILL


def test_a_process_is_found_by_its_token_and_by_its_folder(sleepers: Sleepers, tmp_path: Path) -> None:
    """Environment and working folder tell ours from all others."""
    process = sleepers.start(cwd=tmp_path, token="token-of-this-test")

    assert [found.pid for found in find_marked("token-of-this-test")] == [process.pid]
    assert [found.pid for found in find_inside(tmp_path)] == [process.pid]


@pytest.mark.parametrize("with_process", [True, False], ids=["running", "intent"])
def test_a_lease_survives_its_file(folder: StateFolder, sleepers: Sleepers, with_process: bool) -> None:
    """What is written down is read back, with and without a process."""
    process = sleepers.start() if with_process else None
    lease = lease_of(folder, process, ProcessIdentity.of(os.getpid()))

    assert list(Leases(folder).all()) == [lease]
    assert lease.is_running() is with_process


def test_a_living_owners_lease_is_left_alone(folder: StateFolder, sleepers: Sleepers) -> None:
    """Whatever else runs, a command that is at work keeps its processes."""
    process = sleepers.start()
    lease_of(folder, process, ProcessIdentity.of(os.getpid()))

    assert Leases(folder).reap(()) == []
    assert process.poll() is None


def test_a_dead_owners_process_and_data_are_ended(folder: StateFolder, sleepers: Sleepers) -> None:
    """Process, data and lease of a killed command go."""
    process = sleepers.start()
    lease = lease_of(folder, process, dead())

    assert Leases(folder).reap(()) == [lease]
    assert (process.wait(5), lease.data.exists(), list(Leases(folder).all())) == (-signal.SIGTERM, False, [])


def test_a_stack_that_was_handed_over_is_left_alone(folder: StateFolder, sleepers: Sleepers) -> None:
    """`up -d` ends and its stack stays, by token."""
    process = sleepers.start()
    lease = lease_of(folder, process, dead())

    assert Leases(folder).reap({lease.token}) == []
    assert process.poll() is None


def test_a_process_whose_pid_was_never_noted_is_found_by_token(
    folder: StateFolder, sleepers: Sleepers
) -> None:
    """A command killed between starting a process and writing its pid leaves nothing."""
    lease = lease_of(folder, None, dead())
    process = sleepers.start(token=lease.token)

    Leases(folder).reap(())

    assert process.wait(5) == -signal.SIGTERM


def test_a_worker_that_outlived_its_server_is_ended(folder: StateFolder, sleepers: Sleepers) -> None:
    """What still works in the data folder of a dead server goes with it."""
    lease = lease_of(folder, None, dead())
    worker = sleepers.start(cwd=lease.data)
    lease = replace(lease, process=dead())

    Leases(folder).end(lease)

    assert worker.wait(5) == -signal.SIGTERM


@pytest.mark.parametrize(("keep", "keep_data"), [(True, False), (False, True)], ids=["lease", "caller"])
def test_kept_data_outlives_its_process(folder: StateFolder, keep: bool, keep_data: bool) -> None:
    """Data stays where the lease or the caller says so."""
    lease = lease_of(folder, None, dead(), keep=keep)

    Leases(folder).end(lease, keep_data=keep_data)

    assert lease.data.exists()


def test_ending_twice_is_harmless(folder: StateFolder) -> None:
    """A lease that has gone is gone."""
    lease = lease_of(folder, None, dead())

    Leases(folder).end(lease)
    Leases(folder).end(lease)

    assert list(Leases(folder).all()) == []


@pytest.mark.parametrize("content", ["", "{", "{}", '{"token": 1}'], ids=["empty", "half", "bare", "other"])
def test_a_file_that_holds_no_lease_is_removed(content: str, folder: StateFolder) -> None:
    """Broken files stop nobody."""
    (folder.leases / "broken.json").write_text(content, encoding="utf-8")

    assert Leases(folder).reap(()) == []
    assert list(folder.leases.iterdir()) == []
