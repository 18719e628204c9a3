"""Processes by identity, and leases: only what a dead command left is ended."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psutil
import pytest

from ragbed.stack.launcher_choice import is_running
from ragbed.stack.lease import Lease, Undo
from ragbed.stack.leases import Leases
from ragbed.stack.ownership import STATE_VARIABLE, TOKEN_VARIABLE, find_marked
from ragbed.stack.processes import ProcessIdentity, find_inside, stop
from ragbed.stack.resources import ContainerResource, ProcessResource
from ragbed.state import StateFolder
from ragbed.state.identity import write_identity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SLEEPER = "import sys, time; print('up', flush=True); time.sleep(600)"
TOKEN = "00112233445566aa"
STACK = "0a1b2c3d"
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
        self,
        code: str = SLEEPER,
        *,
        cwd: Path | None = None,
        token: str = "",
        state: Path | None = None,
        words: tuple[str, ...] = (),
    ) -> subprocess.Popen[str]:
        """Start one and return once it sleeps."""
        told = {TOKEN_VARIABLE: token, STATE_VARIABLE: str(state or "")}
        environ = {**os.environ, **{name: value for name, value in told.items() if value}}
        process = subprocess.Popen(
            [sys.executable, "-c", code, *words], stdout=subprocess.PIPE, text=True, cwd=cwd, env=environ
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


def lease_of(folder: StateFolder, owner: ProcessIdentity, *, keep: bool = False) -> Lease:
    """Write a lease, with data, of an owner that has not started its process yet."""
    data = (folder.kept if keep else folder.data / STACK) / "redis"
    data.mkdir(parents=True, exist_ok=True)
    return Leases(folder).open("redis", STACK, holder=owner, data=data, keep=keep, resource=ProcessResource())


def started(
    folder: StateFolder, sleepers: Sleepers, owner: ProcessIdentity
) -> tuple[Lease, subprocess.Popen[str]]:
    """Write a lease, and start the process of it."""
    lease = lease_of(folder, owner)
    process = sleepers.start(token=lease.token, state=folder.root)
    return _noted(folder, lease, process.pid), process


def _noted(folder: StateFolder, lease: Lease, pid: int) -> Lease:
    """Note the process of a lease."""
    return Leases(folder).started(lease, ProcessResource(process=ProcessIdentity.of(pid)))


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
    process = sleepers.start(cwd=tmp_path, token=TOKEN)

    assert [found.pid for found in find_marked(TOKEN)] == [process.pid]
    assert [found.pid for found in find_inside(tmp_path)] == [process.pid]


@pytest.mark.parametrize("with_process", [True, False], ids=["running", "intent"])
def test_a_lease_survives_its_file(folder: StateFolder, sleepers: Sleepers, with_process: bool) -> None:
    """What is written down is read back, with and without a process."""
    owner = ProcessIdentity.of(os.getpid())
    lease = started(folder, sleepers, owner)[0] if with_process else lease_of(folder, owner)

    assert list(Leases(folder).all()) == [lease]
    assert is_running(lease) is with_process


@pytest.mark.parametrize("made", [True, False], ids=["made", "intent"])
def test_a_lease_of_a_container_survives_its_file(folder: StateFolder, made: bool) -> None:
    """It tells its launcher where the container is, and how it is known again."""
    what = ContainerResource(
        daemon="tcp://127.0.0.1:2375",
        network=f"ragbed-{STACK}",
        container="0123456789ab" if made else "",
        volume=f"ragbed-{STACK}-redis" if made else "",
    )
    lease = Leases(folder).started(lease_of(folder, ProcessIdentity.of(os.getpid())), what)

    assert list(Leases(folder).all()) == [lease]
    assert lease.resource.kind == "container"


def test_a_living_owners_lease_is_left_alone(folder: StateFolder, sleepers: Sleepers) -> None:
    """Whatever else runs, a command that is at work keeps its processes."""
    _, process = started(folder, sleepers, ProcessIdentity.of(os.getpid()))

    assert Leases(folder).reap(()) == []
    assert process.poll() is None


def test_a_dead_owners_process_and_data_are_ended(folder: StateFolder, sleepers: Sleepers) -> None:
    """Process, data and lease of a killed command go."""
    lease, process = started(folder, sleepers, dead())

    assert Leases(folder).reap(()) == [lease]
    assert (process.wait(5), lease.data.exists(), list(Leases(folder).all())) == (-signal.SIGTERM, False, [])


def test_a_stack_that_was_handed_over_is_left_alone(folder: StateFolder, sleepers: Sleepers) -> None:
    """`up -d` ends and its stack stays, by token."""
    lease, process = started(folder, sleepers, dead())

    assert Leases(folder).reap({lease.token}) == []
    assert process.poll() is None


def test_a_process_whose_pid_was_never_noted_is_found_by_token(
    folder: StateFolder, sleepers: Sleepers
) -> None:
    """A command killed between starting a process and writing its pid leaves nothing."""
    lease = lease_of(folder, dead())
    process = sleepers.start(token=lease.token)

    Leases(folder).reap(())

    assert process.wait(5) == -signal.SIGTERM


def test_a_worker_that_outlived_its_server_is_ended(folder: StateFolder, sleepers: Sleepers) -> None:
    """What carries the token of a dead server goes with it; a shell in its data folder stays."""
    lease = lease_of(folder, dead())
    worker = sleepers.start(cwd=lease.data, token=lease.token)
    shell = sleepers.start(cwd=lease.data)
    lease = replace(lease, resource=replace(lease.resource, process=dead()))

    Leases(folder).end(lease)

    assert (worker.wait(5), shell.poll()) == (-signal.SIGTERM, None)


@pytest.mark.parametrize("noted", [True, False], ids=["noted", "by token"])
def test_a_process_that_does_not_carry_the_token_is_not_ours(
    folder: StateFolder, sleepers: Sleepers, noted: bool
) -> None:
    """The right pid and start, or the token as an argument, prove nothing."""
    lease = lease_of(folder, dead())
    stranger = sleepers.start(words=(lease.token, f"{TOKEN_VARIABLE}={lease.token}"))
    lease = _noted(folder, lease, stranger.pid) if noted else lease

    assert not is_running(lease)
    Leases(folder).reap(())
    assert stranger.poll() is None


def test_a_process_of_the_folder_that_ours_was_copied_from_is_left_alone(
    folder: StateFolder, sleepers: Sleepers, tmp_path: Path
) -> None:
    """A process names its state folder: while that one holds its lease, no other ends it."""
    lease, process = started(folder, sleepers, dead())
    copied = StateFolder(tmp_path / "other").prepared()
    (copied.root / "identity.json").write_bytes((folder.root / "identity.json").read_bytes())
    write_identity(copied.root, folder.identity(), name="copy")
    shutil.copytree(folder.leases, copied.leases, dirs_exist_ok=True)

    assert [one.token for one in Leases(copied).reap(())] == [lease.token]
    assert process.poll() is None


@pytest.mark.parametrize(
    "token", ["", "a", "/", "python", "0" * 15, "A" * 16, "0" * 16 + "\n", "../" * 5 + "x"]
)
def test_a_wild_token_finds_nothing(token: str, sleepers: Sleepers) -> None:
    """A token is 16 hexadecimal digits and nothing else."""
    if "\0" not in token:
        sleepers.start(token=token, words=(token,))

    assert find_marked(token) == []


@pytest.mark.parametrize(("keep", "keep_data"), [(True, False), (False, True)], ids=["lease", "caller"])
def test_kept_data_outlives_its_process(folder: StateFolder, keep: bool, keep_data: bool) -> None:
    """Data stays where the lease or the caller says so."""
    lease = lease_of(folder, dead(), keep=keep)

    Leases(folder).end(lease, keep_data=keep_data)

    assert lease.data.exists()


def test_ending_twice_is_harmless(folder: StateFolder) -> None:
    """A lease that has gone is gone."""
    lease = lease_of(folder, dead())

    Leases(folder).end(lease)
    Leases(folder).end(lease)

    assert list(Leases(folder).all()) == []


RESOURCE: dict[str, object] = {"kind": "process", "process": None, "outside": None, "stop_signal": 15}
CONTAINER: dict[str, object] = ContainerResource(daemon="unix:///var/run/docker.sock", network="n").to_json()
ODD: dict[str, dict[str, object]] = {
    "empty": {},
    "no project": {"project": None},
    "another project": {"project": "f" * 16},
    "another token": {"token": "f" * 16},
    "pid 0": {"resource": {**RESOURCE, "process": {"pid": 0, "started": "x"}}},
    "pid -1": {"resource": {**RESOURCE, "process": {"pid": -1, "started": "x"}}},
    "huge pid": {"resource": {**RESOURCE, "process": {"pid": 10**30, "started": "x"}}},
    "pid as a text": {"resource": {**RESOURCE, "process": {"pid": "1", "started": "x"}}},
    "pid as true": {"resource": {**RESOURCE, "process": {"pid": True, "started": "x"}}},
    "holder 0": {"holders": [{"pid": 0, "started": "x"}]},
    "no holder": {"holders": []},
    "holders as a number": {"holders": 7},
    "a time without its zone": {"expires_at": "2026-01-01T00:00:00"},
    "an odd time": {"expires_at": 7},
    "an odd resource": {"resource": {"kind": "container", "process": None}},
    "a resource of no kind": {"resource": {**RESOURCE, "kind": "vm"}},
    "a container of no daemon": {"resource": {**CONTAINER, "daemon": "/var/run/docker.sock"}},
    "a container by a path": {"resource": {**CONTAINER, "container": "../" * 4}},
    "a container as a number": {"resource": {**CONTAINER, "container": 7}},
    "a volume by a path": {"resource": {**CONTAINER, "volume": "/home"}},
    "no network": {"resource": {**CONTAINER, "network": ""}},
    "an odd undo": {"undo": [{"kind": "delete", "holder": {"pid": 7, "started": "x"}}]},
    "an undo without a holder": {"undo": [{"kind": "resume", "holder": None}]},
    "an odd run": {"run": 7},
    "an odd key of reuse": {"reuse_key": 7},
    "an odd endpoint": {"endpoint": {"service": "redis"}},
    "signal 0": {"resource": {**RESOURCE, "stop_signal": 0}},
    "signal 9": {"resource": {**RESOURCE, "stop_signal": 9}},
    "signal 99": {"resource": {**RESOURCE, "stop_signal": 99}},
    "signal as a list": {"resource": {**RESOURCE, "stop_signal": []}},
    "data elsewhere": {"data": "/home"},
    "data above": {"data": "data/../.."},
    "all data": {"data": "data"},
    "data of another service": {"data": f"data/{STACK}/postgres"},
    "stack above": {"stack": "../..", "data": "data/../../redis"},
    "odd service": {"service": "../../redis"},
    "service as a list": {"service": ["redis"]},
    "keep as a text": {"keep": "no"},
}


@pytest.mark.parametrize("changes", ODD.values(), ids=ODD)
def test_a_file_that_holds_no_lease_is_ignored(
    changes: dict[str, object], folder: StateFolder, sleepers: Sleepers
) -> None:
    """It is neither believed nor removed, and it stops nobody."""
    lease, process = started(folder, sleepers, ProcessIdentity.of(os.getpid()))
    path = folder.leases / f"{lease.token}.json"
    value = json.loads(path.read_text(encoding="utf-8"))
    odd = folder.leases / f"{TOKEN}.json"
    odd.write_text(json.dumps({**value, "token": TOKEN, **changes} if changes else {}), encoding="utf-8")

    assert Leases(folder).reap(()) == []
    assert list(Leases(folder).all()) == [lease]
    assert (odd.exists(), process.poll()) == (True, None)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\0" * 9, b"[" * 10**5, b"\xff", b"1" * 9999, b"{" + b" " * 5 * 2**20]
)
def test_a_broken_lease_does_not_leave_its_process(
    content: bytes, folder: StateFolder, sleepers: Sleepers
) -> None:
    """Its process says itself that it is of this folder, and no lease covers it."""
    lease, process = started(folder, sleepers, dead())
    stranger = sleepers.start(token=lease.token, state=folder.root.parent)
    (folder.leases / f"{lease.token}.json").write_bytes(content)

    assert Leases(folder).reap(()) == []
    assert (process.wait(5), stranger.poll()) == (-signal.SIGKILL, None)


@pytest.mark.parametrize("kind", ["link", "fifo", "folder"])
def test_what_is_not_a_file_is_no_lease(kind: str, folder: StateFolder) -> None:
    """No command waits for a FIFO or follows a link."""
    path = folder.leases / f"{TOKEN}.json"
    if kind == "link":
        path.symlink_to("/dev/zero")
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.mkdir()

    assert Leases(folder).reap(()) == []
    assert list(Leases(folder).all()) == []


def test_ourselves_and_our_ancestors_are_never_ended() -> None:
    """Not even by their right identity."""
    for pid in (1, os.getpid(), os.getppid()):
        stop(ProcessIdentity.of(pid), timeout_s=0.1)

    assert ProcessIdentity.of(os.getppid()).is_alive()


@pytest.mark.parametrize("way", ["link", "above", "elsewhere", "itself"])
def test_only_folders_below_are_removed(way: str, folder: StateFolder, tmp_path: Path) -> None:
    """Through a link, from above or elsewhere nothing is deleted."""
    (tmp_path / "home" / "documents").mkdir(parents=True)
    (folder.data / "link").symlink_to(tmp_path / "home")
    paths = {
        "link": folder.data / "link" / "documents",
        "above": folder.data / ".." / ".." / "home",
        "elsewhere": tmp_path / "home",
        "itself": folder.root,
    }

    folder.remove(paths[way])

    assert (tmp_path / "home" / "documents").exists()
    assert folder.data.exists()


def test_a_lease_is_left_alone_until_its_last_holder_has_gone(
    folder: StateFolder, sleepers: Sleepers
) -> None:
    """The command that started it may go first."""
    lease, process = started(folder, sleepers, dead())
    other = sleepers.start()
    Leases(folder).hold(lease, ProcessIdentity.of(other.pid))

    assert Leases(folder).reap(()) == []
    assert process.poll() is None

    other.kill()
    other.wait()
    assert [one.token for one in Leases(folder).reap(())] == [lease.token]
    assert process.wait(5) == -signal.SIGTERM


def test_the_last_holder_is_told_that_it_is(folder: StateFolder, sleepers: Sleepers) -> None:
    """The others go, and the lease names those that are left."""
    me, other = ProcessIdentity.of(os.getpid()), ProcessIdentity.of(sleepers.start().pid)
    lease = Leases(folder).hold(started(folder, sleepers, me)[0], other)

    assert not Leases(folder).release(lease, me)
    assert [one.holders for one in Leases(folder).all()] == [(other,)]
    assert Leases(folder).release(lease, other)


@pytest.mark.parametrize(("seconds", "stale"), [(60, False), (-1, True)])
def test_a_lease_whose_time_is_over_is_stale(seconds: int, stale: bool, folder: StateFolder) -> None:
    """Even while a process holds it."""
    lease = lease_of(folder, ProcessIdentity.of(os.getpid()))
    expiring = replace(lease, expires_at=datetime.now(UTC) + timedelta(seconds=seconds))

    assert expiring.is_stale() is stale
    assert Lease.from_json(expiring.to_json(folder.root), folder.root) == expiring


@pytest.mark.parametrize(("seconds", "stale"), [(60, False), (-1, True), (None, True)])
def test_what_stays_for_later_runs_is_stale_when_its_time_is_over(
    seconds: int | None, stale: bool, folder: StateFolder
) -> None:
    """Whether a command holds it does not matter; without an end it would stay for ever."""
    expires_at = None if seconds is None else datetime.now(UTC) + timedelta(seconds=seconds)

    left = replace(lease_of(folder, dead()), reuse_key="0a1b", expires_at=expires_at)

    assert left.is_stale() is stale
    assert Lease.from_json(left.to_json(folder.root), folder.root) == left


@pytest.mark.parametrize("killed", [True, False], ids=["killed", "at-work"])
def test_what_a_command_stopped_runs_on_once_that_command_has_gone(
    killed: bool, folder: StateFolder, sleepers: Sleepers
) -> None:
    """A command that is at work undoes it itself; the service itself stays up."""
    me = ProcessIdentity.of(os.getpid())
    lease, process = started(folder, sleepers, me)
    lease = Leases(folder).promise(lease, Undo(kind="resume", holder=dead() if killed else me))
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)

    assert Leases(folder).reap(()) == []
    assert (psutil.Process(process.pid).status() == psutil.STATUS_STOPPED) is not killed
    assert [one.undo for one in Leases(folder).all()] == [() if killed else lease.undo]
