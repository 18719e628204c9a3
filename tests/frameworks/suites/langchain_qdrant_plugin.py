"""Loaded by pytest in langchain-qdrant's tests: their only server is the one of `QDRANT_URL`.

Left alone they would also run on qdrant-client's local mode, which is not what is tested here, and on whatever answers
on Qdrant's default port, where they delete every collection after each test.
"""

from __future__ import annotations

import os

from tests.integration_tests import fixtures  # type: ignore[import-not-found]  # the suite's own


def _locations(use_in_memory: bool = True) -> list[str]:
    return [os.environ["QDRANT_URL"]]


fixtures.qdrant_locations = _locations
