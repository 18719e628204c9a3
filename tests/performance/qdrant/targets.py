"""What is compared: the embedded Qdrant, the client's local mode in memory and on disk, a real server if given."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qdrant_client import QdrantClient

from ragbed.qdrant import running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TIMEOUT_S = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One of those compared.

    Attributes:
        name: As the table shows it.
        connect: Returns a new client; the local modes have one client for all.
        remote: Whether it may have several clients at once.
    """

    name: str
    connect: Callable[[], QdrantClient]
    remote: bool


def remote(name: str, url: str) -> Target:
    """Return a server as a target."""
    return Target(
        name=name,
        connect=lambda: QdrantClient(url=url, timeout=TIMEOUT_S, check_compatibility=False),
        remote=True,
    )


@contextmanager
def targets() -> Iterator[list[Target]]:
    """Start what there is, the embedded one first; stop it afterwards."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-qdrant-")))
        found = [remote("embedded, over HTTP", stack.enter_context(running(folder / "embedded")))]
        memory, disk = QdrantClient(":memory:"), QdrantClient(path=str(folder / "local"))
        stack.callback(disk.close)
        found.append(Target(name="local mode, in memory", connect=lambda: memory, remote=False))
        found.append(Target(name="local mode, on disk", connect=lambda: disk, remote=False))
        if url := os.environ.get("QDRANT_URL"):
            found.append(remote("real server", url))
        yield found
