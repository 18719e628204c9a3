"""A file system of a few megabytes, for what happens when it is full."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOUNTABLE = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small file system")
"""For tests that take the `small_disk`."""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Yield the mount point of a small file system, or skip where none can be mounted."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "ragbed-test", str(disk)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no small file system can be mounted here: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def resize(disk: Path, size_kb: int) -> None:
    """Give the file system another size."""
    subprocess.run(["mount", "-o", f"remount,size={size_kb}k", str(disk)], check=True)


def used_kb(disk: Path) -> int:
    """Return how much of the file system is taken."""
    return shutil.disk_usage(disk).used // 1024
