"""Runs killed at random moments: what each leaves can be read, and says that it was killed."""

from __future__ import annotations

import json
import os
import signal
import time
from typing import TYPE_CHECKING

from ragbed.data import lessons_folder
from ragbed.runs import RunRecord, find_run, list_runs

if TYPE_CHECKING:
    import random

    from fault_place import Place

_SESSION = """
import time
import pytest

@pytest.mark.parametrize("number", range(200))
def test_that_takes_its_time(number, ragbed_settings):
    time.sleep(0.02)
"""
_LONGEST_S = {"smoke": 6.0, "up": 2.0, "ingest": 4.0, "pytest": 3.0}
_BEGINS_S = 60.0


def kill_runs(place: Place, chance: random.Random) -> str:
    """Kill one run of each kind, at a moment of its life or before; returns what was done.

    Raises:
        AssertionError: A run left something that cannot be read, or that tells something else.
    """
    session = place.root.parent / "session" / "test_session.py"
    session.parent.mkdir(exist_ok=True)
    session.write_text(_SESSION, encoding="utf-8")
    done = [_kill(place, chance, "up", ["up"])]
    assert place.run("up", "-d").code == 0, "the stack comes up after a kill"
    done.append(_kill(place, chance, "ingest", ["ingest", str(lessons_folder())]))
    done.append(_kill(place, chance, "smoke", ["smoke"]))
    words = ["-p", "no:cacheprovider", "--rootdir", str(session.parent), str(session)]
    done.append(_kill(place, chance, "pytest", words, module="pytest"))
    assert place.run("down").code == 0, "the stack goes down"
    _all_are_told(place)
    return "; ".join(done)


def _kill(place: Place, chance: random.Random, kind: str, words: list[str], *, module: str = "ragbed") -> str:
    """Begin a run and kill it: in one case of five perhaps before it is recorded, else within its life."""
    known = {run.id for run in list_runs(place.folder)}
    early = chance.random() < 1 / 5
    moment_s = chance.uniform(0.0, 0.8 if early else _LONGEST_S[kind])
    process = place.begin(*words, module=module)
    run_id = "" if early else _begun(place, known)
    time.sleep(moment_s)
    if process.poll() is None:
        os.kill(process.pid, signal.SIGKILL)
    process.wait()
    new = [run for run in list_runs(place.folder) if run.id not in known]
    assert len(new) == 1 or (early and not new), f"{kind} left {len(new)} runs"
    told = "not recorded yet" if not new else _read(new[0], kind)
    assert not run_id or new[0].id == run_id
    return f"{kind} after {moment_s * 1000:.0f} ms: {told}"


def _begun(place: Place, known: set[str]) -> str:
    """Wait for a run's folder, and return its id: from then on it must be readable."""
    deadline = time.monotonic() + _BEGINS_S
    while time.monotonic() < deadline:
        new = [run.id for run in list_runs(place.folder) if run.id not in known]
        if new:
            return new[0]
        time.sleep(0.002)
    raise AssertionError(f"no run was recorded within {_BEGINS_S:g} s")


def _read(run: RunRecord, kind: str) -> str:
    """Check all that a run left; returns what it tells."""
    assert run.manifest["schema"] == "ragbed.run-manifest/1", f"{run.folder} has no manifest"
    assert (run.manifest["id"], run.manifest["kind"]) == (run.id, kind)
    events, skipped = run.events()
    assert skipped <= 1, f"{skipped} lines of {run.folder} cannot be read"
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert not events or events[0].kind == "run.begun"
    assert run.status == ("killed" if run.outcome is None else run.outcome["status"])
    return f"{run.status}, {len(events)} events"


def _all_are_told(place: Place) -> None:
    """The command lists every run, and shows the newest."""
    listed = json.loads(place.run("runs", "list", "--json").out)["runs"]
    kept = list_runs(place.folder)
    assert [(run["id"], run["status"]) for run in listed] == [(run.id, run.status) for run in kept]
    assert find_run(place.folder, "last").id in place.run("runs", "show").out
