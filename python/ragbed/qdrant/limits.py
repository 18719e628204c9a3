"""Limits that the command line shows; apart, because the modules that keep to them import the engine."""

from __future__ import annotations

MAX_OPEN = 64
"""Collections open at once, by default."""
