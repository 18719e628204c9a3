"""The ledger's file: shared by processes, readable after a kill."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from ragbed.costs import CallId, FileLedger, MicroUsd, Scope
from ragbed.errors import BudgetExceeded, ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

CALL = CallId("call-1")
DAY = Scope(kind="day", name="2026-11-29", cap=MicroUsd(1000))
SPEND = """
import sys
from pathlib import Path
from ragbed.costs import CallId, FileLedger, MicroUsd, Scope
from ragbed.errors import BudgetExceeded

ledger, day = FileLedger(Path(sys.argv[1])), Scope(kind="day", name="2026-11-29", cap=MicroUsd(1000))
print("ready", flush=True)
sys.stdin.readline()
allowed = 0
while True:
    try:
        held = ledger.reserve(CallId("c"), [day], MicroUsd(10))
    except BudgetExceeded:
        break
    allowed += 1
    print("held", flush=True)
    if sys.argv[2] == "settle":
        ledger.settle(held, MicroUsd(5))
print(allowed)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the ledger lies; its folder is not there yet."""
    return tmp_path / "spend" / "ledger.jsonl"


def spender(path: Path, *, settles: bool) -> subprocess.Popen[str]:
    """Start a process that spends until the budget is gone, once it gets a line."""
    command = [sys.executable, "-c", SPEND, str(path), "settle" if settles else "hold"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize(("settles", "calls"), [(False, 100), (True, 199)], ids=["held", "settled"])
def test_two_processes_at_once_share_the_budget(path: Path, settles: bool, calls: int) -> None:
    """Together they get as many calls as one would: the last to stop waits for no other."""
    processes = [spender(path, settles=settles) for _ in range(2)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    allowed = [int(process.communicate(timeout=60)[0].splitlines()[-1]) for process in processes]

    assert sum(allowed) == calls
    assert FileLedger(path).spent(DAY) == calls * (5 if settles else 10)


def test_what_a_killed_process_held_counts_in_full(path: Path) -> None:
    """Nothing tells whether the call was sent."""
    with spender(path, settles=False) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("go\n")
        process.stdin.flush()
        assert [process.stdout.readline() for _ in range(3)] == ["held\n"] * 3
        process.send_signal(signal.SIGKILL)
    entries = [json.loads(line) for line in path.read_text().splitlines()]

    assert [entry["kind"] for entry in entries] == ["reserved"] * len(entries)
    assert FileLedger(path).spent(DAY) == 10 * len(entries) >= 30


@pytest.mark.parametrize("after_s", [0.005, 0.02, 0.04, 0.07, 0.1])
def test_a_ledger_is_readable_after_a_kill_at_any_moment(path: Path, after_s: float) -> None:
    """What was settled counts as settled, what was not in full, and the next call is held to the rest."""
    with spender(path, settles=True) as process:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
        time.sleep(after_s)
        process.send_signal(signal.SIGKILL)
    ledger = FileLedger(path)
    spent = ledger.spent(DAY)
    kinds = Counter(json.loads(line)["kind"] for line in path.read_text().splitlines())

    assert kinds["reserved"] - kinds["settled"] in {0, 1}
    assert spent == 5 * kinds["settled"] + 10 * (kinds["reserved"] - kinds["settled"])
    assert ledger.reserve(CALL, [DAY], MicroUsd(1000 - spent)).most == 1000 - spent


@pytest.mark.parametrize("cut", [1, 20, 200])
def test_a_line_cut_short_by_a_kill_is_dropped(path: Path, cut: int) -> None:
    """A settlement is then missing, and the reservation counts in full; the next line is whole."""
    ledger = FileLedger(path)
    ledger.settle(ledger.reserve(CALL, [DAY], MicroUsd(100)), MicroUsd(1))
    whole = path.read_bytes()
    path.write_bytes(whole[: -min(cut, len(whole.splitlines()[-1]))])

    after = FileLedger(path)

    assert after.spent(DAY) == 100
    after.reserve(CALL, [DAY], MicroUsd(50))
    assert [json.loads(line)["kind"] for line in path.read_text().splitlines()] == ["reserved", "reserved"]
    assert FileLedger(path).spent(DAY) == 150


def test_a_line_of_others_is_named(path: Path) -> None:
    """It is not passed over: the budget would be another one."""
    path.parent.mkdir()
    path.write_text('{"kind": "reserved"}\n')

    with pytest.raises(ConfigurationError, match="has a line that is not one of ours") as caught:
        FileLedger(path).spent(DAY)

    assert str(path) in caught.value.message


def test_a_file_that_was_removed_counts_from_nothing(path: Path) -> None:
    """Also for the process that had read it."""
    ledger = FileLedger(path)
    ledger.reserve(CALL, [DAY], MicroUsd(1000))
    path.rename(path.with_name("old"))

    assert ledger.spent(DAY) == 0
    ledger.reserve(CALL, [DAY], MicroUsd(1000))
    with pytest.raises(BudgetExceeded):
        ledger.reserve(CALL, [DAY], MicroUsd(1))


def test_a_ledger_that_cannot_be_written_allows_nothing(tmp_path: Path) -> None:
    """It says which file, and why."""
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigurationError, match="cannot write the spend ledger"):
        FileLedger(tmp_path / "file" / "ledger.jsonl").reserve(CALL, [DAY], MicroUsd(1))
