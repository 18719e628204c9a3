"""The pinned models: fetched by digest, laid out for Ollama, compared with the lock, added to it."""

from ragbed.models.blobs import BlobFolder
from ragbed.models.fetching import FetchPlan, drop_corrupted, fetch, plan_fetch
from ragbed.models.layout import LaidOut, lay_out, remove_store
from ragbed.models.locking import change, read_entry, read_entry_of, updated, write_lock
from ragbed.models.pruning import Unwanted, prune, unwanted
from ragbed.models.reasons import Reasons, reasons_for
from ragbed.models.server import LiveServer
from ragbed.models.sources import Source, open_folder, open_source
from ragbed.models.tally import Progress
from ragbed.models.transfer import Patience
from ragbed.models.verifying import Difference, verify_blobs, verify_server, verify_store

__all__ = [
    "BlobFolder",
    "Difference",
    "FetchPlan",
    "LaidOut",
    "LiveServer",
    "Patience",
    "Progress",
    "Reasons",
    "Source",
    "Unwanted",
    "change",
    "drop_corrupted",
    "fetch",
    "lay_out",
    "open_folder",
    "open_source",
    "plan_fetch",
    "prune",
    "read_entry",
    "read_entry_of",
    "reasons_for",
    "remove_store",
    "unwanted",
    "updated",
    "verify_blobs",
    "verify_server",
    "verify_store",
    "write_lock",
]
