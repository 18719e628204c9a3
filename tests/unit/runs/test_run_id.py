"""Ids of runs sort by the time at which the runs began."""

from __future__ import annotations

import time

from ragbed.runs.run_id import is_run_id, new_run_id


def test_ids_of_one_second_sort_by_time() -> None:
    """`last` is the last one, also where several runs begin within a second."""
    ids = []
    for _ in range(50):
        ids.append(new_run_id())
        time.sleep(0.001)  # longer than the part of a second that an id tells

    assert ids == sorted(ids)
    assert len(set(ids)) == 50
    assert all(map(is_run_id, ids))
