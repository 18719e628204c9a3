"""Setting aside: what lies in the state folder and was not made here is renamed within it, and said."""

from __future__ import annotations

import logging
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

logger = logging.getLogger(__name__)


def present(root: Path, names: Iterable[str]) -> list[str]:
    """Return those of the names under which something lies in the folder, links that lead nowhere too."""
    return [name for name in names if os.path.lexists(root / name)]


def set_aside(root: Path, names: Iterable[str], reason: str) -> None:
    """Rename entries of the folder into a new folder of it, and say so.

    Args:
        root: The state folder.
        names: Entries, as paths from the folder on; those that are not there are passed over.
        reason: Why they are not believed, in words.
    """
    names = present(root, sorted(names))
    if not names:
        return
    beside = Path(tempfile.mkdtemp(prefix="aside-", dir=root))
    for name in names:
        with suppress(FileNotFoundError):
            (root / name).rename(beside / name.replace("/", "-"))
    logger.warning(
        "ragbed: %s of %s is not believed (%s): set aside in %s",
        ", ".join(names),
        root,
        reason,
        beside.name,
    )
