"""A machine of its own for each test of the doctor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from doctor_run import Machine

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine on which nothing is planted yet."""
    return Machine(tmp_path)
