"""The pinned models: fetched by digest, laid out for Ollama, compared with the lock, added to it.

Names are imported when they are asked for: a caller that asks a server which models it has needs no download.
"""

from typing import TYPE_CHECKING

from ragbed.lazy import public_names

if TYPE_CHECKING:
    from ragbed.models.blobs import BlobFolder
    from ragbed.models.fetching import FetchPlan, drop_corrupted, fetch, plan_fetch
    from ragbed.models.layout import LaidOut, export_store, remove_store
    from ragbed.models.live_server import LiveServer
    from ragbed.models.locking import change, read_entry, read_entry_of, updated, write_lock
    from ragbed.models.pruning import OrphanedBlob, orphaned_blobs, prune
    from ragbed.models.reasons import Reasons, reasons_for
    from ragbed.models.sources import BlobSource, open_folder, open_source
    from ragbed.models.transfer import RetryPolicy
    from ragbed.models.transfer_progress import Progress
    from ragbed.models.verifying import ModelDifference, verify_blobs, verify_server, verify_store

__all__ = [
    "BlobFolder",
    "BlobSource",
    "FetchPlan",
    "LaidOut",
    "LiveServer",
    "ModelDifference",
    "OrphanedBlob",
    "Progress",
    "Reasons",
    "RetryPolicy",
    "change",
    "drop_corrupted",
    "export_store",
    "fetch",
    "open_folder",
    "open_source",
    "orphaned_blobs",
    "plan_fetch",
    "prune",
    "read_entry",
    "read_entry_of",
    "reasons_for",
    "remove_store",
    "updated",
    "verify_blobs",
    "verify_server",
    "verify_store",
    "write_lock",
]

__getattr__ = public_names(
    __name__,
    {
        "BlobFolder": "blobs",
        "FetchPlan": "fetching",
        "drop_corrupted": "fetching",
        "fetch": "fetching",
        "plan_fetch": "fetching",
        "LaidOut": "layout",
        "export_store": "layout",
        "remove_store": "layout",
        "LiveServer": "live_server",
        "change": "locking",
        "read_entry": "locking",
        "read_entry_of": "locking",
        "updated": "locking",
        "write_lock": "locking",
        "OrphanedBlob": "pruning",
        "orphaned_blobs": "pruning",
        "prune": "pruning",
        "Reasons": "reasons",
        "reasons_for": "reasons",
        "BlobSource": "sources",
        "open_folder": "sources",
        "open_source": "sources",
        "RetryPolicy": "transfer",
        "Progress": "transfer_progress",
        "ModelDifference": "verifying",
        "verify_blobs": "verifying",
        "verify_server": "verifying",
        "verify_store": "verifying",
    },
)
