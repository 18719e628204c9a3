"""Two projects on one machine under devenv's real modules: neither takes the other's servers for its own.

Needs `RAGBED_MIRROR`; `scripts/check-nix` is the command, `scripts/soak --kind two-projects-under-devenv` does more
rounds. No Ollama is needed: both leave it out.
"""

from __future__ import annotations

import random
import secrets
from typing import TYPE_CHECKING

import pytest
from devenv_projects import run_projects_under_devenv

if TYPE_CHECKING:
    from devenv_lab import Lab

SEED = secrets.randbelow(10**6)


@pytest.mark.parametrize("same_ports", [True, False], ids=["same-ports", "other-ports"])
def test_each_project_answers_from_its_own_documents(
    lab: Lab, tmp_path_factory: pytest.TempPathFactory, *, same_ports: bool
) -> None:
    """On the same ports the second is refused at once, and told why; with another offset both run side by side."""
    print(f"seed {SEED}")  # shown where it fails

    folder = tmp_path_factory.mktemp("pair")  # a short name: Postgres has a socket below it
    run_projects_under_devenv(lab, folder, random.Random(SEED), same_ports=same_ports)  # noqa: S311 - an order
