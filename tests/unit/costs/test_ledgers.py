"""What every spend ledger keeps, the file and its stand-in in memory."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragbed.costs import CallId, FileLedger, MemoryLedger, MicroUsd, Scope
from ragbed.errors import BudgetExceeded, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from ragbed.costs import SpendLedger

CALL = CallId("call-1")


def usd_cents(count: int) -> MicroUsd:
    """Return some hundredths of a USD."""
    return MicroUsd(count * 10_000)


DAY = Scope(kind="day", name="2026-11-29", cap=usd_cents(100))
RUN = Scope(kind="run", name="20261129-070000-abcdef", cap=usd_cents(10))


@pytest.fixture(params=["memory", "file"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> SpendLedger:
    """Each ledger in turn."""
    return MemoryLedger() if request.param == "memory" else FileLedger(tmp_path / "spend" / "ledger.jsonl")


def test_a_reservation_counts_in_full_until_it_is_settled(ledger: SpendLedger) -> None:
    """Then what the call cost counts, in each of its scopes."""
    reservation = ledger.reserve(CALL, [DAY, RUN], usd_cents(4))
    held = ledger.spent(DAY)
    ledger.settle(reservation, usd_cents(1))

    assert held == usd_cents(4)
    assert [ledger.spent(DAY), ledger.spent(RUN)] == [usd_cents(1), usd_cents(1)]


def test_a_call_that_would_pass_a_cap_is_refused_by_the_scope(ledger: SpendLedger) -> None:
    """The message names it, the hint the setting; nothing is held, in no scope."""
    ledger.reserve(CALL, [DAY, RUN], usd_cents(8))

    with pytest.raises(BudgetExceeded) as caught:
        ledger.reserve(CALL, [DAY, RUN], usd_cents(3))

    assert caught.value.render().splitlines() == [
        "a call that may cost 0.030000 USD would pass the budget of run 20261129-070000-abcdef",
        "  budget: 0.100000 USD",
        "  spent and reserved: 0.080000 USD",
        "try: raise budget.run_usd",
    ]
    assert caught.value.exit_code == 12
    assert ledger.spent(DAY) == usd_cents(8)


def test_a_cap_may_be_reached(ledger: SpendLedger) -> None:
    """Exactly, and not by a millionth more."""
    ledger.reserve(CALL, [RUN], usd_cents(10))

    with pytest.raises(BudgetExceeded):
        ledger.reserve(CALL, [RUN], MicroUsd(1))


def test_a_budget_of_nothing_allows_free_calls_alone(ledger: SpendLedger) -> None:
    """As the tiers local and ci have it."""
    tier = Scope(kind="tier", name="ci", cap=MicroUsd(0))
    ledger.reserve(CALL, [tier], MicroUsd(0))

    with pytest.raises(BudgetExceeded, match="would pass the budget of tier ci"):
        ledger.reserve(CALL, [tier], MicroUsd(1))


def test_a_scope_without_a_cap_is_only_counted(ledger: SpendLedger) -> None:
    """And a cap is the asker's: the same scope may have one later."""
    month = Scope(kind="month", name="2026-11")
    ledger.reserve(CALL, [month], usd_cents(100_000))

    assert ledger.spent(Scope(kind="month", name="2026-11", cap=MicroUsd(1))) == usd_cents(100_000)


def test_settling_again_changes_nothing(ledger: SpendLedger) -> None:
    """Whatever the second amount is."""
    reservation = ledger.reserve(CALL, [DAY], usd_cents(4))
    ledger.settle(reservation, usd_cents(1))
    ledger.settle(reservation, usd_cents(9))

    assert ledger.spent(DAY) == usd_cents(1)


def test_a_call_that_cost_more_counts_in_full(ledger: SpendLedger) -> None:
    """The money is gone; the next call is refused."""
    reservation = ledger.reserve(CALL, [RUN], usd_cents(4))
    ledger.settle(reservation, usd_cents(12))

    assert ledger.spent(RUN) == usd_cents(12)
    with pytest.raises(BudgetExceeded):
        ledger.reserve(CALL, [RUN], MicroUsd(0))


def test_a_reservation_of_another_ledger_is_refused(ledger: SpendLedger) -> None:
    """It would lower a sum that it has never raised."""
    foreign = MemoryLedger().reserve(CALL, [DAY], usd_cents(1))

    with pytest.raises(UsageError, match="is not in this ledger"):
        ledger.settle(foreign, usd_cents(1))


def test_a_negative_amount_is_refused(ledger: SpendLedger) -> None:
    """It would give budget back."""
    reservation = ledger.reserve(CALL, [DAY], usd_cents(1))

    with pytest.raises(UsageError, match="are not an amount"):
        ledger.reserve(CALL, [DAY], MicroUsd(-1))
    with pytest.raises(UsageError, match="are not an amount"):
        ledger.settle(reservation, MicroUsd(-1))
    assert ledger.spent(DAY) == usd_cents(1)


def test_threads_at_once_stay_under_the_cap(ledger: SpendLedger) -> None:
    """Of 40 calls of a cent, a budget of ten cents allows ten."""

    def ask(_number: int) -> bool:
        try:
            ledger.reserve(CALL, [RUN], usd_cents(1))
        except BudgetExceeded:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        allowed = list(threads.map(ask, range(40)))

    assert (sum(allowed), ledger.spent(RUN)) == (10, usd_cents(10))


@given(
    calls=st.lists(
        st.tuples(st.integers(min_value=0, max_value=40_000), st.floats(min_value=0, max_value=1)),
        max_size=30,
    )
)
def test_no_sequence_of_calls_passes_the_cap(calls: list[tuple[int, float]]) -> None:
    """As long as no call costs more than was reserved for it, settled at once or never."""
    ledger = MemoryLedger()
    for most, share in calls:
        try:
            reservation = ledger.reserve(CALL, [RUN], MicroUsd(most))
        except BudgetExceeded:
            continue
        if share < 0.8:
            ledger.settle(reservation, MicroUsd(int(most * share)))
        assert ledger.spent(RUN) <= usd_cents(10)
