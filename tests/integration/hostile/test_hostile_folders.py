"""A checkout that brings a state folder made to do harm: nothing outside is touched, nothing of others is ended."""

from __future__ import annotations

import pytest
from hostile_rounds import in_namespace, play, why_not

ROUNDS = 10


@pytest.fixture(scope="module", autouse=True)
def _namespaces() -> None:
    """Each round has a pid namespace of its own: where it finds what to end, it finds only what is there."""
    if reason := why_not():
        pytest.skip(f"this machine gives no pid namespace: {reason}")


@pytest.mark.parametrize("number", range(ROUNDS))
def test_nothing_that_is_not_ours_is_touched(number: int) -> None:
    """50 processes with the leases' tokens in their arguments go on, and the user's folders stay as they are."""
    assert play(20, number) == ""


def test_stacks_are_listed_and_stopped_wherever_their_state_folder_is() -> None:
    """A stack whose state folder was temporary is stopped too; a copy of a folder stops nothing by itself."""
    done = in_namespace("everywhere_round.py")

    assert (done.returncode, done.stdout) == (0, "fine\n"), done.stderr
