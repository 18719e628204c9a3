"""The four stores of a stack under one contract: count, reset, snapshot, restore, and a part for one test."""

from typing import TYPE_CHECKING

from ragbed.lazy import public_names

if TYPE_CHECKING:
    from ragbed.stores.on_stack import stores_of
    from ragbed.stores.port import Census, Isolated, IsolatedStore, IsolationMode, SnapshotRef, StoreFailed
    from ragbed.stores.snapshots import Snapshot, Snapshots

__all__ = [
    "Census",
    "Isolated",
    "IsolatedStore",
    "IsolationMode",
    "Snapshot",
    "SnapshotRef",
    "Snapshots",
    "StoreFailed",
    "stores_of",
]

__getattr__ = public_names(
    __name__,
    {
        **dict.fromkeys(
            ("Census", "Isolated", "IsolatedStore", "IsolationMode", "SnapshotRef", "StoreFailed"), "port"
        ),
        "Snapshot": "snapshots",
        "Snapshots": "snapshots",
        "stores_of": "on_stack",
    },
)
