"""Money: whole millionths of a USD inside, USD in JSON fields that end in `_usd`."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from typing import NewType

from ragbed.errors import UsageError

MicroUsd = NewType("MicroUsd", int)
"""Whole millionths of a USD: sums are exact, and 0.1 three times is 0.3."""

_PER_USD = 1_000_000


def from_usd(usd: float | Decimal) -> MicroUsd:
    """Return an amount in millionths; a fraction of one counts as one.

    Args:
        usd: At least 0. A float stands for the decimal number that it prints as.

    Raises:
        UsageError: The amount is negative, infinite or not a number.
    """
    amount = Decimal(str(usd))
    if not amount.is_finite() or amount < 0:
        raise UsageError(f"{usd} is not an amount of USD", hint="give a number of at least 0")
    return MicroUsd(int((amount * _PER_USD).to_integral_value(rounding=ROUND_CEILING)))


def to_usd(amount: MicroUsd) -> float:
    """Return an amount in USD, as JSON fields that end in `_usd` hold it; `from_usd` gives it back."""
    return amount / _PER_USD


def show_usd(amount: MicroUsd) -> str:
    """Return an amount for messages: `0.000310 USD`."""
    return f"{Decimal(amount) / _PER_USD:.6f} USD"
