"""What a killed process left beside the files that it was writing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil

from ragbed.state.files import is_file

if TYPE_CHECKING:
    from pathlib import Path


def forget_unfinished(folder: Path) -> None:
    """Remove what `write_json` left beside its files where the process that wrote was killed."""
    for path in folder.glob(".*.json.*"):
        writer = path.name.rpartition(".")[0].rpartition(".")[2]
        if writer.isdecimal() and len(writer) < 10 and not psutil.pid_exists(int(writer)) and is_file(path):
            path.unlink(missing_ok=True)
