"""Every endpoint that is served."""

from __future__ import annotations

from ragbed.qdrant.calls import (
    changes,
    collections,
    groups,
    legacy,
    matrix,
    monitoring,
    points,
    queries,
    snapshots,
)

ENDPOINTS = (
    *collections.ENDPOINTS,
    *changes.ENDPOINTS,
    *points.ENDPOINTS,
    *queries.ENDPOINTS,
    *groups.ENDPOINTS,
    *legacy.ENDPOINTS,
    *matrix.ENDPOINTS,
    *monitoring.ENDPOINTS,
    *snapshots.ENDPOINTS,
)
"""What a method on a path leads to."""
