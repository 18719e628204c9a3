"""Which errors on opening say that a collection is damaged, so that it is set aside."""

from __future__ import annotations

import pytest

from ragbed.qdrant.errors import ApiError, NoRoom
from ragbed.qdrant.opening import is_damage


@pytest.mark.parametrize(
    "error",
    [
        NoRoom("the disk has less than 64 MB free"),
        ApiError("Too many open files (os error 24)"),
        ApiError("Cannot allocate memory (os error 12)."),
        ApiError("No space left on device (os error 28)"),
    ],
    ids=["room", "files", "memory", "disk"],
)
def test_what_the_machine_lacks_is_no_damage(error: ApiError) -> None:
    """It passes, and the collection is whole."""
    assert not is_damage(error)


def test_what_the_engine_cannot_read_is_damage() -> None:
    """It would not pass by itself."""
    assert is_damage(ApiError("Failed to deserialize segment state"))
