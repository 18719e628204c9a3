"""What an error tells: that the machine lacks something, or that files are damaged."""

from __future__ import annotations

import errno

import pytest

from ragbed.qdrant.errors import ApiError, Unavailable, WrongInput, from_engine
from ragbed.qdrant.machine_errors import lack


class PanicException(BaseException):
    """The engine's panics are of a class of this name, which is no `Exception`."""


@pytest.mark.parametrize(
    ("error", "what"),
    [
        (ApiError("Too many open files (os error 24)"), "file descriptors"),
        (ApiError("Cannot allocate memory (os error 12)."), "memory"),
        (ApiError("No space left on device (os error 28)"), "room on the disk"),
        (ApiError("Failed to open: Read-only file system (os error 30), in /data/c"), "read-only"),
        (ApiError("Permission denied (os error 13)"), "permission"),
        (ApiError("IO Error: Input/output error (os error 5)"), "disk that answers"),
        (ApiError("Resource temporarily unavailable (os error 11)"), "a lock that another process holds"),
        (ApiError("IO Error: Interrupted system call (os error 4)"), "the system interrupted it"),
        (ApiError("File too large (os error 27)"), "ulimit -f"),
        (
            PanicException(
                'called `Result::unwrap()` on an `Err` value: Os { code: 12, kind: OutOfMemory, message: "Cannot …" }'
            ),
            "memory",
        ),
        (PanicException("memory allocation of 33554432 bytes failed"), "memory"),
        (PanicException("failed to spawn thread"), "threads"),
        (MemoryError(), "memory"),
        (OSError(errno.ENFILE, "Too many open files in system"), "the machine may have no more"),
    ],
    ids=lambda value: None if isinstance(value, str) else str(value)[-24:],
)
def test_what_the_machine_lacks_is_named(error: BaseException, what: str) -> None:
    """It passes, and the collection is whole."""
    assert what in (lack(error) or "")


@pytest.mark.parametrize(
    "message",
    [
        "Failed to deserialize segment state",
        "No such file or directory (os error 2)",
        "failed to read WAL entry: Can't deserialize entry, probably corrupted WAL",
        "index out of bounds: the len is 12 but the index is 24",
    ],
)
def test_what_does_not_pass_by_itself_is_no_lack(message: str) -> None:
    """Then another process looks at the collection."""
    assert lack(ApiError(message)) is None


def test_a_call_that_lacks_memory_may_be_tried_again() -> None:
    """503, where the engine's own failure is 500; what the client wrote is not taken for an error of the system."""
    told = from_engine(Exception("Service runtime error: Out of memory, free: 1, Failed to reserve memory"))

    assert (type(told), told.status) == (Unavailable, 503)
    assert isinstance(from_engine(PanicException("memory allocation of 9 bytes failed")), Unavailable)
    assert isinstance(
        from_engine(Exception("no index for key `Permission denied (os error 13)`")), WrongInput
    )
