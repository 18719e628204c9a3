"""What calls of language models cost: prices, the record of a call, and the ledger that keeps budgets."""

from typing import TYPE_CHECKING

from ragbed.lazy import public_names

if TYPE_CHECKING:
    from ragbed.costs.calls import CallId, CallStatus, CanonicalKey, LlmCall
    from ragbed.costs.file_ledger import FileLedger
    from ragbed.costs.ledger import MemoryLedger, Reservation, Scope, SpendLedger
    from ragbed.costs.money import MicroUsd, from_usd, to_usd
    from ragbed.costs.prices import Price, list_price, simulated_cost

__all__ = [
    "CallId",
    "CallStatus",
    "CanonicalKey",
    "FileLedger",
    "LlmCall",
    "MemoryLedger",
    "MicroUsd",
    "Price",
    "Reservation",
    "Scope",
    "SpendLedger",
    "from_usd",
    "list_price",
    "simulated_cost",
    "to_usd",
]

__getattr__ = public_names(
    __name__,
    {
        "CallId": "calls",
        "CallStatus": "calls",
        "CanonicalKey": "calls",
        "LlmCall": "calls",
        "FileLedger": "file_ledger",
        "MemoryLedger": "ledger",
        "Reservation": "ledger",
        "Scope": "ledger",
        "SpendLedger": "ledger",
        "MicroUsd": "money",
        "from_usd": "money",
        "to_usd": "money",
        "Price": "prices",
        "list_price": "prices",
        "simulated_cost": "prices",
    },
)
