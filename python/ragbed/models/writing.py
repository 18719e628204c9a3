"""Files beside the lock: never written among installed files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragbed.pins import refuse_installed
from ragbed.state.files import SHARED, write_atomically

if TYPE_CHECKING:
    from pathlib import Path


def write_text(path: Path, text: str) -> None:
    """Write a text file that others may read, as the umask lets them; a reader sees the old one or the new one.

    Args:
        path: Where; its folder is there.
        text: The whole.

    Raises:
        ConfigurationError: It would lie among installed files.
    """
    refuse_installed(path)
    write_atomically(path, text, mode=SHARED)
