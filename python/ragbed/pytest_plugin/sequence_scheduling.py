"""A schedule of pytest-xdist that hands each worker a recorded sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from xdist.workermanage import WorkerController


def require_tests(wanted: Sequence[str], there: Container[str]) -> None:
    """Refuse a sequence with tests that were not collected.

    Raises:
        pytest.UsageError: Names the first.
    """
    if missing := [test for test in wanted if test not in there]:
        raise pytest.UsageError(
            f"{len(missing)} of the recorded tests were not collected, the first is {missing[0]}: name the same files"
        )


class SequenceScheduling:
    """Gives the first worker the first sequence, and so on. A worker that takes a dead one's place gets its rest.

    Source: the `Scheduling` protocol of pytest-xdist.

    Args:
        sequences: Node ids, a sequence per worker.
    """

    def __init__(self, sequences: Sequence[Sequence[str]]) -> None:
        self._left: list[list[str]] = [list(one) for one in sequences]
        self._expected = len(self._left)
        self._collections: dict[WorkerController, list[str]] = {}
        self._pending: dict[WorkerController, list[int]] = {}
        self._started: set[WorkerController] = set()

    @property
    def nodes(self) -> list[WorkerController]:
        """Return the workers."""
        return list(self._pending)

    @property
    def collection_is_completed(self) -> bool:
        """Tell whether every worker has collected, now or before it died."""
        return len(self._collections) >= self._expected

    @property
    def tests_finished(self) -> bool:
        """Tell whether nothing is left to be handed out; a worker ends by itself after its last test."""
        return self.collection_is_completed and not self._left and not self.has_pending

    @property
    def has_pending(self) -> bool:
        """Tell whether a worker has a test to run."""
        return any(self._pending.values())

    def add_node(self, node: WorkerController) -> None:
        """Take a worker."""
        self._pending[node] = []

    def add_node_collection(self, node: WorkerController, collection: Sequence[str]) -> None:
        """Take what a worker has collected."""
        self._collections[node] = list(collection)

    def schedule(self) -> None:
        """Hand out the sequences to the workers that have none yet, all of it at once."""
        for node in sorted(self._pending, key=lambda one: int(one.gateway.id.strip("gw"))):
            if node in self._started or node not in self._collections or not self._left:
                continue
            places = {test: place for place, test in enumerate(self._collections[node])}
            tests = self._left.pop(0)
            require_tests(tests, places)
            self._pending[node] = [places[test] for test in tests]
            node.send_runtest_some(self._pending[node])
            node.shutdown()  # after its last test
            self._started.add(node)

    def mark_test_complete(self, node: WorkerController, item_index: int, duration: float = 0) -> None:
        """Take note that a worker has run a test."""
        del duration
        self._pending[node].remove(item_index)

    def mark_test_pending(self, item: str) -> None:
        """Refuse: no test runs twice.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError(f"{item} does not run twice")

    def remove_pending_tests_from_node(self, node: WorkerController, indices: Sequence[int]) -> None:
        """Refuse: a test runs in its own worker.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError(f"{node}: {len(indices)} tests stay in their worker")

    def remove_node(self, node: WorkerController) -> str | None:
        """Let a worker go, and return the test that it died in; its other tests are for its successor."""
        pending = self._pending.pop(node)
        if not pending:
            return None
        collection = self._collections[node]
        died_in, *rest = (collection[place] for place in pending)
        if rest:
            self._left.append(rest)
        return died_in
