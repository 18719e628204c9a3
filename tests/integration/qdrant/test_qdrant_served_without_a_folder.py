"""Where `ragbed qdrant serve` keeps collections when no folder is named."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from qdrant_server import STOP_TIMEOUT_S

if TYPE_CHECKING:
    from pathlib import Path


def test_collections_lie_in_the_state_folder_unless_said(tmp_path: Path) -> None:
    """The folder that the command is called in stays as it is."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    command = [sys.executable, "-m", "ragbed", "qdrant", "serve", "--port", "0"]
    environ = {**os.environ, "RAGBED_STATE_DIR": str(tmp_path / "state")}

    with subprocess.Popen(command, cwd=elsewhere, env=environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = process.stdout.readline()
        process.terminate()
        process.wait(STOP_TIMEOUT_S)

    assert "ready on" in ready
    assert (tmp_path / "state" / "qdrant").is_dir()
    assert list(elsewhere.iterdir()) == []
