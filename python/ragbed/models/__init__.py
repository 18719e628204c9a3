"""The pinned models: fetched by digest, laid out for Ollama, compared with the lock, added to it."""

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
