"""Stacks whose state folder stays, has gone or is a copy: listed and stopped everywhere, in a pid namespace."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any


def ragbed(state: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command on a state folder."""
    return subprocess.run(
        [sys.executable, "-m", "ragbed", *words],
        env={**os.environ, "RAGBED_STATE_DIR": str(state), "RAGBED_STACK__DEFAULT_PORTS": "false"},
        cwd=state.parent,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def listed(state: Path) -> dict[str, Any]:
    """Return the stacks by the name of their state folder."""
    stacks = json.loads(ragbed(state, "status", "--everywhere", "--json").stdout)["stacks"]
    return {Path(one["state_dir"]).name: one for one in stacks}


def main() -> None:
    """Bring two stacks up, take one's folder away, and stop all."""
    with tempfile.TemporaryDirectory() as work:
        stays, goes, copy = (Path(work, name) for name in ("stays", "goes", "copy"))
        for state in (stays, goes):
            assert ragbed(state, "up", "-d").returncode == 0
        shutil.copytree(stays, copy)
        in_copy = ragbed(copy, "down", "--all")
        assert "Nothing was up" in in_copy.stdout, in_copy
        assert ragbed(stays, "status").returncode == 0
        shutil.rmtree(goes)

        found = listed(copy)
        assert {name: one["state_dir_holds_it"] for name, one in found.items()} == {
            "stays": True,
            "goes": False,
        }
        assert all(len(one["services"]) == 4 for one in found.values()), found
        refused = ragbed(copy, "down", "--everywhere")
        assert (refused.returncode, "--yes" in refused.stderr) == (2, True), refused
        stopped = ragbed(copy, "down", "--everywhere", "--yes")

        assert stopped.returncode == 0, stopped
        assert listed(copy) == {}
        assert list((stays / "leases").iterdir()) == []
        assert list((stays / "data").iterdir()) == []
    print("fine")


if __name__ == "__main__":
    main()
