"""A real Nix for the tests of the Nix side; without one they are skipped, and say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from nix_command import Nix, missing_nix

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def nix(tmp_path_factory: pytest.TempPathFactory) -> Nix:
    """Nix on an empty store of this run."""
    if reason := missing_nix():
        pytest.skip(reason)
    return Nix.prepared(tmp_path_factory.mktemp("nix"))


@pytest.fixture
def fresh_nix(tmp_path: Path, nix: Nix) -> Nix:
    """Nix on a store that no other test has put anything into."""
    del nix  # only for its skip
    return Nix.prepared(tmp_path / "nix")
