"""Runs killed at random moments of their recorded life: what each leaves can be read, and says that it was killed.

The moments are shares of how long such a run takes on this machine: a round measures that first, by runs that end.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections import defaultdict
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from ragbed.data import lessons_folder
from ragbed.runs import RunRecord, find_run, list_runs

if TYPE_CHECKING:
    import random

    from fault_place import Place

    from ragbed.runs import RunKind

_SESSION = """
import time
import pytest

@pytest.mark.parametrize("number", range(100))
def test_that_takes_its_time(number, ragbed_stack):
    time.sleep(0.02)
"""
_BEGINS_S = 60.0
_MOST_TRIES = 5
_lengths_s: defaultdict[str, list[float]] = defaultdict(list)
"""How long whole runs took on this machine, from their first event on, by how they were begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """A kind of run, and how it is begun.

    Attributes:
        name: The kind.
        label: How it was begun, for the report.
        words: The command.
        module: Which module runs it.
        ends: A command of the kind that ends by itself, to measure it; None where the command does.
    """

    name: RunKind
    label: str
    words: list[str]
    module: str = "ragbed"
    ends: list[str] | None = None


def kill_runs(place: Place, chance: random.Random) -> str:
    """Kill one run of each kind, at a moment of its recorded life, a session with workers too; returns what was done.

    Raises:
        AssertionError: A run left something that cannot be read, or that tells something else.
    """
    up, *others = _kinds(place)
    if not _lengths_s[up.label]:
        for kind in (up, *others):
            _measure(place, kind)
        assert place.run("down").code == 0, "the measured stack goes down"
    done = [_kill(place, chance, up)]
    assert place.run("up", "-d").code == 0, "the stack comes up after a kill"
    done += [_kill(place, chance, kind) for kind in others]
    assert place.run("down").code == 0, "the stack goes down"
    _wait_for_workers(place)
    _all_are_told(place)
    return "; ".join(done)


def _kinds(place: Place) -> tuple[_Kind, ...]:
    session = place.root.parent / "session" / "test_session.py"
    session.parent.mkdir(exist_ok=True)
    session.write_text(_SESSION, encoding="utf-8")
    words = ["-p", "no:cacheprovider", "--rootdir", str(session.parent), str(session)]
    return (
        _Kind(name="up", label="up", words=["up"], ends=["up", "-d"]),
        _Kind(name="ingest", label="ingest", words=["ingest", str(lessons_folder())]),
        _Kind(name="smoke", label="smoke", words=["smoke"]),
        _Kind(name="pytest", label="pytest", words=words, module="pytest"),
        _Kind(name="pytest", label="pytest -n 2", words=["-n", "2", *words], module="pytest"),
    )


def _measure(place: Place, kind: _Kind) -> None:
    """Let a run of a kind end by itself, and note how long it took."""
    assert place.begin(*(kind.ends or kind.words), module=kind.module).wait(_BEGINS_S) == 0
    _note_length(kind, find_run(place.folder, "last"))


def _note_length(kind: _Kind, run: RunRecord) -> None:
    events, _ = run.events()
    _lengths_s[kind.label].append((events[-1].at - events[0].at).total_seconds())


def _kill(place: Place, chance: random.Random, kind: _Kind) -> str:
    """Begin a run and kill it at a drawn share of its length; one that was quicker is a measurement, and made anew."""
    share = chance.random()
    for number in range(_MOST_TRIES):
        # A namespace of its own: what is there already would not be ingested.
        words = [*kind.words, "--namespace", f"try{number}"] if kind.name == "ingest" else kind.words
        moment_s = share * median(_lengths_s[kind.label])
        run = _killed(place, words, kind.module, moment_s=moment_s)
        told = _read(run, kind.name)
        if run.status == "killed":
            return f"{kind.label} at {share:.0%} ({moment_s * 1000:.0f} ms): {told}, try {number + 1}"
        _note_length(kind, run)
    raise AssertionError(f"{_MOST_TRIES} runs of {kind.label} ended before {moment_s:.2f} s: {_lengths_s}")


def _killed(place: Place, words: list[str], module: str, *, moment_s: float) -> RunRecord:
    """Begin a run, and kill it so long after its first event; returns its record."""
    known = {run.id for run in list_runs(place.folder)}
    process = place.begin(*words, module=module)
    run_id = _begun(place, known)
    time.sleep(moment_s)
    if process.poll() is None:
        os.kill(process.pid, signal.SIGKILL)
    process.wait()
    new = [run for run in list_runs(place.folder) if run.id not in known]
    assert [run.id for run in new] == [run_id], f"`{' '.join(words)}` left {len(new)} runs"
    return new[0]


def _begun(place: Place, known: set[str]) -> str:
    """Wait for the first event of a new run, and return the run's id: from then on it must be readable."""
    deadline = time.monotonic() + _BEGINS_S
    while time.monotonic() < deadline:
        new = [run for run in list_runs(place.folder) if run.id not in known]
        if new and new[0].events()[0]:
            return new[0].id
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


def _wait_for_workers(place: Place) -> None:
    """Wait until the workers of a killed session have noticed and ended."""
    deadline = time.monotonic() + _BEGINS_S
    while place.processes() and time.monotonic() < deadline:
        time.sleep(0.05)


def _all_are_told(place: Place) -> None:
    """The command lists every run, and shows the newest."""
    listed = json.loads(place.run("runs", "list", "--json").out)["runs"]
    kept = list_runs(place.folder)
    assert [(run["id"], run["status"]) for run in listed] == [(run.id, run.status) for run in kept]
    assert find_run(place.folder, "last").id in place.run("runs", "show").out
