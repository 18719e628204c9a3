"""Loaded by pytest in the frameworks' tests: runs the share of them that `RAGBED_SHARE` says, drawn by a seed."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the others out, and keep the order."""
    count = round(len(items) * float(os.environ["RAGBED_SHARE"]))
    drawn = set(random.Random(1).sample(range(len(items)), count))  # noqa: S311 - a sample, not a secret
    config.hook.pytest_deselected(items=[item for at, item in enumerate(items) if at not in drawn])
    items[:] = [item for at, item in enumerate(items) if at in drawn]
