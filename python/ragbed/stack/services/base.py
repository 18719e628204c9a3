"""What the starters share: a free port, and how a service tells of a full disk."""

from __future__ import annotations

import socket


def free_port() -> int:
    """Return a loopback port that nothing listens on at this moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def tells_of_full_disk(line: str) -> bool:
    """Tell whether a service's line says that the disk is full.

    In the system's words, or in Postgres's for a write that was cut short: then the system names no error.
    """
    return "No space left on device" in line or ": wrote only " in line
