"""A checkout that brings a state folder made to do harm: nothing outside is touched, nothing of others is ended."""

from __future__ import annotations

import pytest
from hostile_rounds import play, why_not

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
