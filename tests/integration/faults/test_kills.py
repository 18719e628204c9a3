"""Kills at random moments: nothing acknowledged is lost, nothing is left behind, the next command works."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

import pytest
from fault_containers import missing_containers
from fault_driver import KINDS, run_round

if TYPE_CHECKING:
    from fault_place import Place

SEED = int(os.environ.get("FAULT_SEED", "0")) or secrets.randbelow(10**6)
"""New in every run; a failure names it, with the command that runs the round again."""

ROUNDS = dict.fromkeys(KINDS, 2) | {"acknowledged-writes-survive": 5, "two-projects-never-meet": 1}
del ROUNDS["killed-runs"]  # below, a test per round
del ROUNDS["killed-containers"]  # below, as they may be skipped
del ROUNDS["two-projects-under-devenv"]  # in tests/nix, which has what it needs


@pytest.mark.parametrize("kind", list(ROUNDS))
def test_a_kill_at_any_moment_loses_and_leaves_nothing(kind: str, place: Place) -> None:
    """After kill -9 of a service or a command, all acknowledged data is there and no trace of the dead stays."""
    done = [run_round(kind, SEED, number, place) for number in range(ROUNDS[kind])]

    assert len(done) == ROUNDS[kind]


@pytest.mark.parametrize("number", range(5))
def test_a_run_killed_at_any_moment_can_be_read(number: int, place: Place) -> None:
    """A stack, an ingest, a smoke run and a test session each leave a manifest and an event stream."""
    done = run_round("killed-runs", SEED, number, place)

    assert [part.split()[0] for part in done.split("; ")] == ["up", "ingest", "smoke", "pytest", "pytest"]


@pytest.mark.parametrize("number", range(5))
def test_no_container_network_or_volume_outlives_a_kill(number: int, place: Place) -> None:
    """Of a start, a stop, a restart or a run: the next command removes what no stack is of."""
    if reason := missing_containers():
        pytest.skip(reason)

    assert run_round("killed-containers", SEED, number, place).startswith("killed")
