"""A real Nix for the tests of the Nix side; without one they are skipped, and say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from devenv_lab import Lab, missing_mirror, prepared_lab
from evaluated import Shown, evaluate
from nix_command import Nix, missing_nix

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def nix(tmp_path_factory: pytest.TempPathFactory) -> Nix:
    """Nix on an empty store of this run."""
    if reason := missing_nix():
        pytest.skip(reason)
    return Nix.prepared(tmp_path_factory.mktemp("nix"))


@pytest.fixture(scope="session")
def project(nix: Nix) -> Shown:
    """This repository's `devenv.nix`."""
    return evaluate(nix, "[ ./devenv.nix ]")


@pytest.fixture
def fresh_nix(tmp_path: Path, nix: Nix) -> Nix:
    """Nix on a store that no other test has put anything into."""
    del nix  # only for its skip
    return Nix.prepared(tmp_path / "nix")


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """A copy of the project that finds all its inputs on this machine."""
    if reason := missing_nix() or missing_mirror():
        pytest.skip(reason)
    return prepared_lab(tmp_path_factory.mktemp("lab"))
