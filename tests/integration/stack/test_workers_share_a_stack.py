"""The workers of pytest-xdist share one stack: the first starts it, the last one stops it, a killed one harms none."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from processes_left import left_of

if TYPE_CHECKING:
    from pathlib import Path

    from ragbed_command import RagbedCommand

WORKERS = 2
SHARED = """
import json, os, pathlib, signal, socket, time
from urllib.parse import urlsplit

import psutil

HERE = pathlib.Path(__file__).parent


def wait_for(ready):
    deadline = time.monotonic() + 90
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def has_ended(pid):
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_shared(ragbed_stack, worker_id):
    leases = {name: lease.resource.process.pid for name, lease in ragbed_stack.leases.items()}
    seen = {"stack": ragbed_stack.id, "environ": ragbed_stack.environ, "pids": leases, "own": os.getpid()}
    seen["started"] = sorted(ragbed_stack.seconds)
    (HERE / "writing").joinpath(worker_id).write_text(json.dumps(seen))
    (HERE / "writing" / worker_id).rename(HERE / "seen" / worker_id)
    wait_for(lambda: len(list((HERE / "seen").iterdir())) == WORKERS)
    others = [json.loads(one.read_text()) for one in (HERE / "seen").iterdir() if one.name != worker_id]
    if KILLS and seen["started"]:
        os.kill(os.getpid(), signal.SIGKILL)
    if KILLS:
        wait_for(lambda: has_ended(others[0]["own"]))
    for url in ragbed_stack.environ.values():
        parts = urlsplit(url)
        socket.create_connection((parts.hostname, parts.port), timeout=5).close()
    (HERE / "fine" / worker_id).touch()
"""


def run_workers(ragbed: RagbedCommand, *, kills: bool) -> tuple[int, list[dict[str, Any]], int]:
    """Run the same test in each of two workers.

    Args:
        ragbed: Whose state folder they use.
        kills: Whether the worker that started the stack is killed once the other one has joined.

    Returns:
        pytest's exit code, what each worker saw, and how many could still use the stack at their end.
    """
    for name in ("seen", "fine", "writing"):
        (ragbed.folder / name).mkdir()
    code = f"WORKERS, KILLS = {WORKERS}, {kills}\n{SHARED}"
    (ragbed.folder / "test_shared.py").write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--dist", "each", "-n", str(WORKERS),
         "--max-worker-restart", "0", "test_shared.py"],
        cwd=ragbed.folder,
        env=ragbed.variables(MODEL_PROVIDER="mock"),
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )  # fmt: skip
    seen = [json.loads(one.read_text()) for one in (ragbed.folder / "seen").iterdir()]
    assert len(seen) == WORKERS, done.stdout + done.stderr
    return done.returncode, seen, len(list((ragbed.folder / "fine").iterdir()))


def left_in(folder: Path, seen: list[dict[str, Any]]) -> tuple[list[Path], list[psutil.Process]]:
    """Return the leases and the processes that are left of a stack."""
    pids = {pid for one in seen for pid in one["pids"].values()}
    processes = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    return list((folder / "leases").iterdir()), left_of(processes)


@pytest.mark.parametrize("kills", [False, True], ids=["all end", "the one that started it is killed"])
def test_workers_share_one_stack_until_the_last_one_ends(kills: bool, ragbed: RagbedCommand) -> None:
    """One stack, at the same addresses for both; it outlives the worker that started it, and not the last one."""
    code, seen, fine = run_workers(ragbed, kills=kills)

    assert len({one["stack"] for one in seen}) == 1
    assert seen[0]["environ"] == seen[1]["environ"]
    assert [len(one["pids"]) for one in seen] == [4, 4]
    assert sorted(len(one["started"]) for one in seen) == [0, 4]
    assert (fine, code) == ((1, 1) if kills else (2, 0))
    assert left_in(ragbed.state, seen) == ([], [])
