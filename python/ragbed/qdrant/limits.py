"""Limits that the command line shows; apart, because the modules that keep to them import the engine."""

from __future__ import annotations

MAX_OPEN = 64
"""Collections open at once, by default."""

MAX_SNAPSHOT_MB = 16 * 1024
MAX_SNAPSHOT_BYTES = MAX_SNAPSHOT_MB * 1024 * 1024
"""Size of a snapshot that comes in, packed and unpacked, by default."""
