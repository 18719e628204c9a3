"""Caches that many state folders start with: a copy of a Postgres template by hard links takes a tenth of the time."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from ragbed.state import StateFolder


def start_with_cache(folder: StateFolder, cache: Path) -> None:
    """Give a state folder, before its first use, what is in the cache of another one.

    ragbed only reads and copies what is in a cache, so the files may be shared. What lies there before the folder is
    prepared was not made there, and would be set aside.
    """
    shutil.copytree(cache, folder.prepared().cache, dirs_exist_ok=True, copy_function=_link_or_copy)


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copy2(source, target)
