"""Which lines of a service say that the disk is full."""

from __future__ import annotations

import pytest

from ragbed.stack.services import tells_of_full_disk


@pytest.mark.parametrize(
    ("line", "full"),
    [
        ('FATAL:  could not write to file "pg_wal/xlogtemp.41": No space left on device', True),
        ('ERROR:  could not extend file "base/1/2655": wrote only 4096 of 8192 bytes at block 2', True),
        ("PANIC:  cannot abort transaction 1, it was already committed", False),
        ('FATAL:  could not open file "global/pg_control": Permission denied', False),
    ],
    ids=["system", "cut-short", "consequence", "other"],
)
def test_a_full_disk_is_told_from_other_failures(line: str, full: bool) -> None:
    """A write that the disk took a part of has no error of the system's, but means the same."""
    assert tells_of_full_disk(line) is full
