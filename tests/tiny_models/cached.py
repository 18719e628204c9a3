"""A folder of things that are built once: one builder at a time, whole or not there."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[2]


def tools_folder() -> Path:
    """Return where built tools are kept: `RAGBED_TOOLS_DIR`, else `.ragbed/tools` of the checkout."""
    return Path(os.environ.get("RAGBED_TOOLS_DIR") or ROOT / ".ragbed" / "tools").absolute()


def built_once(target: Path, build: Callable[[Path], None]) -> Path:
    """Return a folder that is built where it is not there yet; whoever comes second waits, then finds it.

    Args:
        target: The folder; its name tells its content.
        build: Fills an empty folder beside it, which gets the name once this returns.
    """
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with _alone(target.with_name(f"{target.name}.lock")):
        if target.is_dir():
            return target
        _remove_leftovers(target)
        beside = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
        try:
            build(beside)
            beside.chmod(0o755)
            beside.rename(target)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    return target


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Hold a lock that the system releases when we are killed."""
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _remove_leftovers(target: Path) -> None:
    """Remove what a killed builder has left; we hold the lock, so nobody is at work there."""
    for left in target.parent.glob(f".{target.name}.*"):
        shutil.rmtree(left, ignore_errors=True)
