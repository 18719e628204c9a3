"""Files beside the lock: written beside, then renamed."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from ragbed.pins import refuse_installed


def write_text(path: Path, text: str) -> None:
    """Write a text file that everybody may read; a reader sees the old one or the new one.

    Args:
        path: Where; its folder is there.
        text: The whole.

    Raises:
        ConfigurationError: It would lie among installed files.
    """
    refuse_installed(path)
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(beside).chmod(0o644)
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
