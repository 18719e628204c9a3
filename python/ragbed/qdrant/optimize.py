"""Build the index of a collection beside its use: copy, index in another process, catch up, put in place.

Writes wait while the files are copied and while the last of them are written again; reads never wait. Until
`collection.json` names the new files, a crash leaves the old ones in force, with every acknowledged write.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING
from uuid import uuid4

from ragbed.qdrant.collection_manifest import FIRST, write_manifest
from ragbed.qdrant.disk_space import is_short, size_on_disk
from ragbed.qdrant.errors import ApiError
from ragbed.qdrant.folder import copy_tree, sync_tree
from ragbed.qdrant.indexing import NOTHING_TO_DO
from ragbed.qdrant.opening import load

if TYPE_CHECKING:
    import threading
    from pathlib import Path

    from ragbed.qdrant.shard import Shard

logger = logging.getLogger(__name__)

CATCH_UPS = 3
"""Rounds of writing again what came meanwhile, before writes are held back for the last one."""

POLL_S = 0.05

COPIES = 2
"""Space that an optimization may take, in sizes of the collection: the copy, and what is made of it."""


def lacks_space(shard: Shard) -> bool:
    """Say whether the disk has too little room for the copy of a collection, and for what is made of it."""
    return is_short(shard.folder, COPIES * size_on_disk(shard.folder))


def optimize(shard: Shard, stopping: threading.Event) -> str | None:
    """Index and vacuum a collection; say what was in the way, None where nothing was.

    Args:
        shard: An open collection.
        stopping: Once set, the work is given up.
    """
    old = shard.folder
    beside = old.parent / f"{FIRST}-{uuid4().hex[:8]}"
    optimized, failure = False, None
    try:
        with shard.copying():
            copy_tree(old, beside)
        optimized = _index(beside, stopping) and _put_in_place(shard, beside)
    except Exception as error:
        if not shard.is_gone:
            logger.exception("indexing collection %r failed; it goes on without", shard.name)
        failure = str(error)
    finally:
        shard.forget_copy()
        shutil.rmtree(old if optimized else beside, ignore_errors=True)
    return failure


def _index(folder: Path, stopping: threading.Event) -> bool:
    """Run the indexing process; say whether it changed anything, raise ApiError when it failed."""
    command = [sys.executable, "-P", "-s", "-m", "ragbed.qdrant.indexing", str(folder)]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        while process.poll() is None:
            if stopping.wait(POLL_S):
                process.kill()
        told = process.stderr.read().decode(errors="replace") if process.stderr else ""
    if process.returncode not in (0, NOTHING_TO_DO) and not stopping.is_set():
        raise ApiError(f"the indexing process ended with {process.returncode}: {told[-2000:].strip()}")
    return process.returncode == 0


def _put_in_place(shard: Shard, beside: Path) -> bool:
    copy = load(beside, shard.config)
    if not all(shard.catch_up(copy) for _ in range(CATCH_UPS)):
        return False
    sync_tree(beside)
    copy.flush()
    return shard.optimize(copy, beside, lambda: write_manifest(shard.name, shard.config, beside))
