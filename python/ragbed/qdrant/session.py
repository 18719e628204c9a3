"""A server for as long as a `with` lasts, for tests and scripts."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from ragbed.errors import ConfigurationError, ServiceNotReady, UsageError
from ragbed.http import request_json
from ragbed.qdrant.folder import owned
from ragbed.qdrant.identity import SUBSTITUTE

if TYPE_CHECKING:
    from collections.abc import Iterator

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  # only to make a folder of random name below it
ROOM_BYTES = 1024**3
PREFIX = "ragbed-qdrant-"
LEFT_AFTER_S = 60.0
STOP_TIMEOUT_S = 5.0


@contextmanager
def running(data: Path | None = None, *, optimize: bool = True) -> Iterator[str]:
    """Serve the embedded Qdrant in a process of its own; stop it, and clear what it left, on every way out.

    The server also ends when this process does, however that ends.

    A process, because the engine keeps the interpreter to itself while it works: a server in a thread would slow
    down the tests that use it, and its crash would be theirs.

    Args:
        data: Folder of the collections, kept; None takes a new one in memory, where there is a file system for that,
            and removes it afterwards.
        optimize: Build indexes in the background; without, searches stay exact.

    Yields:
        Where it answers, like `http://127.0.0.1:41234`.

    Raises:
        ServiceNotReady: The server ended before it was ready; the message holds what it said.
    """
    with _folder(data) as folder, tempfile.TemporaryFile() as errors:
        command = [sys.executable, "-P", "-s", "-m", "ragbed.qdrant", "--port", "0", "--until-eof"]
        command += ["--data", str(folder)]
        if not optimize:
            command.append("--no-optimize")
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process:
            try:
                line = process.stdout.readline() if process.stdout else ""
                if not line:
                    process.wait()
                    errors.seek(0)
                    told = errors.read().decode(errors="replace").strip()
                    raise ServiceNotReady(
                        f"the embedded Qdrant on {folder} ended before it was ready: {told}"
                    )
                yield line.split()[-1]
            finally:
                _stop(process)


def clear(url: str) -> None:
    """Delete every collection of a server, and with them every alias.

    Args:
        url: An embedded Qdrant without an API key; a real server is refused.

    Raises:
        UsageError: The server is not an embedded Qdrant.
    """
    for name in _collections(url):
        request_json("DELETE", f"{url}/collections/{quote(name, safe='')}", timeout_s=30)


def _collections(url: str) -> list[str]:
    answer = request_json("GET", f"{url}/collections", timeout_s=30)
    if answer.substitute != SUBSTITUTE:
        raise UsageError(f"refused to clear {url}: it is not an embedded Qdrant")
    return [collection["name"] for collection in answer.value["result"]["collections"]]


@contextmanager
def _folder(data: Path | None) -> Iterator[Path]:
    if data is not None:
        yield data
        return
    parent = SHARED_MEMORY if has_room(SHARED_MEMORY) else Path(tempfile.gettempdir())
    for left in parent.glob(f"{PREFIX}*"):
        if is_left(left):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def has_room(memory: Path) -> bool:
    """Say whether a file system in memory is there and large enough; a container's is often 64 MiB."""
    return memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free >= ROOM_BYTES


def is_left(folder: Path) -> bool:
    """Say whether a folder is what a session that was killed has left: ours, old enough, and without a process."""
    try:
        status = folder.stat()
        if status.st_uid != os.getuid() or time.time() - status.st_mtime < LEFT_AFTER_S:
            return False
        with owned(folder):
            return True
    except (OSError, ConfigurationError):
        return False


def _stop(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
