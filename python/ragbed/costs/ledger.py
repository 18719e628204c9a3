"""The spend ledger: money is reserved before a paid call and settled after it, under caps that several scopes set."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Literal, NewType, Protocol
from uuid import uuid4

from ragbed.costs.money import MicroUsd, show_usd
from ragbed.errors import BudgetExceeded, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ragbed.costs.calls import CallId

ScopeKind = Literal["request", "test", "run", "day", "month", "tier"]
ReservationId = NewType("ReservationId", str)

_RAISED_BY: dict[ScopeKind, str] = {
    "request": "raise budget.request_tokens, or ask for fewer tokens",
    "test": "raise the max_usd of the test's costs marker",
    "run": "raise budget.run_usd",
    "day": "raise budget.daily_usd, or wait until tomorrow (UTC)",
    "month": "raise budget.monthly_usd",
    "tier": "set APP_ENV to a tier that allows paid calls",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a budget is set for. Two scopes of one kind and name are the same one, whatever their caps.

    Attributes:
        kind: What is counted together.
        name: Which one: a call, test or run id, `2026-11-29`, `2026-11`, `staging`.
        cap: The most that may be spent in it; None counts without a cap, 0 allows no paid call.
    """

    kind: ScopeKind
    name: str
    cap: MicroUsd | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """Money held for a call.

    Attributes:
        id: Unique.
        call: The call that it is held for.
        scopes: The scopes that it counts in.
        most: The most that the call may cost; counts in full until it is settled.
    """

    id: ReservationId
    call: CallId
    scopes: tuple[Scope, ...]
    most: MicroUsd


class SpendLedger(Protocol):
    """Keeps paid calls under their caps, however many ask at once."""

    def reserve(self, call: CallId, scopes: Sequence[Scope], most: MicroUsd) -> Reservation:
        """Hold money for a call before it is sent.

        Args:
            call: The call.
            scopes: Every scope that it counts in.
            most: The most that it may cost.

        Raises:
            BudgetExceeded: It would pass the cap of a scope, which the message names; nothing is held.
        """
        ...

    def settle(self, reservation: Reservation, actual: MicroUsd) -> None:
        """Replace what a reservation holds by what the call cost; a second time changes nothing.

        Args:
            reservation: As `reserve` returned it.
            actual: What the call cost, 0 where it was not sent. It counts in full, above `most` too.

        Raises:
            UsageError: This ledger has not made the reservation.
        """
        ...

    def spent(self, scope: Scope) -> MicroUsd:
        """Return what calls of a scope cost, with what is reserved and not settled."""
        ...


class Accounts:
    """The sums behind every ledger: pure, and not safe for threads.

    Each change is checked (`check`, `may_settle`) before the ledger writes it down, and then applied.
    """

    def __init__(self) -> None:
        self._sums: Counter[Scope] = Counter()
        self._open: dict[ReservationId, Reservation] = {}
        self._settled: set[ReservationId] = set()

    def check(self, scopes: Sequence[Scope], most: MicroUsd) -> None:
        """Raise BudgetExceeded where an amount would pass the cap of a scope; UsageError where it is negative."""
        _require_amount(most)
        for scope in scopes:
            spent = self.spent(scope)
            if scope.cap is not None and spent + most > scope.cap:
                raise BudgetExceeded(
                    f"a call that may cost {show_usd(most)} would pass the budget of {scope}",
                    details=[f"budget: {show_usd(scope.cap)}", f"spent and reserved: {show_usd(spent)}"],
                    hint=_RAISED_BY[scope.kind],
                )

    def may_settle(self, reservation: ReservationId, actual: MicroUsd) -> bool:
        """Tell whether a reservation waits to be settled.

        Raises:
            UsageError: This ledger has not made it, or the amount is negative.
        """
        _require_amount(actual)
        if reservation not in self._open and reservation not in self._settled:
            raise UsageError(f"the reservation {reservation} is not in this ledger")
        return reservation in self._open

    def hold(self, reservation: Reservation) -> None:
        """Apply a reservation."""
        self._open[reservation.id] = reservation
        self._add(reservation.scopes, reservation.most)

    def settle(self, reservation: ReservationId, actual: MicroUsd) -> None:
        """Apply the settlement of a reservation that is open."""
        held = self._open.pop(reservation)
        self._settled.add(reservation)
        self._add(held.scopes, actual - held.most)

    def spent(self, scope: Scope) -> MicroUsd:
        """Return the sum of a scope."""
        return MicroUsd(self._sums[scope])

    def _add(self, scopes: Sequence[Scope], amount: int) -> None:
        for scope in set(scopes):
            self._sums[scope] += amount


class MemoryLedger:
    """A ledger of one process that forgets at its end: the file ledger's stand-in for tests."""

    def __init__(self) -> None:
        self._accounts = Accounts()
        self._lock = Lock()

    def reserve(self, call: CallId, scopes: Sequence[Scope], most: MicroUsd) -> Reservation:
        """Hold money for a call; raise BudgetExceeded."""
        with self._lock:
            self._accounts.check(scopes, most)
            reservation = new_reservation(call, scopes, most)
            self._accounts.hold(reservation)
        return reservation

    def settle(self, reservation: Reservation, actual: MicroUsd) -> None:
        """Replace what is held by what the call cost; raise UsageError where it was never held."""
        with self._lock:
            if self._accounts.may_settle(reservation.id, actual):
                self._accounts.settle(reservation.id, actual)

    def spent(self, scope: Scope) -> MicroUsd:
        """Return the sum of a scope."""
        with self._lock:
            return self._accounts.spent(scope)


def _require_amount(amount: MicroUsd) -> None:
    if amount < 0:
        raise UsageError(f"{amount} millionths of a USD are not an amount", hint="give at least 0")


def new_reservation(call: CallId, scopes: Sequence[Scope], most: MicroUsd) -> Reservation:
    """Return a reservation with an id of its own."""
    return Reservation(id=ReservationId(uuid4().hex), call=call, scopes=tuple(scopes), most=most)
