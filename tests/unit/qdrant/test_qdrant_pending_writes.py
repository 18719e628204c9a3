"""Pending writes hold what a copy lacks, and no more than it may."""

from __future__ import annotations

import pytest
from qdrant_edge import UpdateOperation

from ragbed.qdrant import pending_writes
from ragbed.qdrant.pending_writes import PendingWrites


def write(number: int) -> UpdateOperation:
    """Return a write."""
    return UpdateOperation.delete_points([number])


@pytest.fixture
def begun() -> PendingWrites:
    """Pending writes that are kept."""
    begun = PendingWrites()
    begun.begin()
    return begun


def test_writes_are_taken_in_order_and_once(begun: PendingWrites) -> None:
    """What comes later is there for the next who takes."""
    first, second, third = write(1), write(2), write(3)
    begun.add(first)
    begun.add(second)
    taken = begun.take()
    begun.add(third)

    assert (taken, begun.take(), begun.take()) == ([first, second], [third], [])


def test_nothing_is_kept_without_a_copy() -> None:
    """Neither before it begins nor after its end."""
    unused = PendingWrites()
    unused.add(write(1))

    assert (unused.is_kept, unused.take()) == (False, None)


def test_too_many_writes_end_it(begun: PendingWrites) -> None:
    """A part of what was written would be no copy."""
    one = write(1)
    for _ in range(pending_writes.MAX_WRITES + 1):
        begun.add(one)

    assert begun.take() is None


def test_writes_that_are_too_large_end_it(begun: PendingWrites) -> None:
    """By the size of their requests, so that memory stays bounded."""
    begun.add(write(1))
    begun.grow(pending_writes.MAX_BYTES)
    begun.add(write(2))

    assert begun.take() is None
