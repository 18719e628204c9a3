"""Two projects on one machine under devenv's real modules: neither takes the other's servers for its own.

Needs `RAGBED_MIRROR`; `scripts/check-nix` is the command. No Ollama is needed: both leave it out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from devenv_up import Up, started
from test_nix_up import other_ports

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from devenv_lab import Lab

STORES = ["postgres", "redis", "qdrant"]
ALONE = "ollama.enable = false; ragbed.api.enable = false;"
OFFSET = 7000
# as root each of the two runs in a user namespace of its own, and cannot look into the other's processes
WHOSE = r"(\S+ \(pid \d+\) of the project {project}|a process that this user cannot see)"


@pytest.fixture(scope="module")
def ports() -> dict[int, int]:
    """Free ports, by those that `stack.toml` has."""
    return other_ports()


@pytest.fixture(scope="module")
def first(lab: Lab, ports: dict[int, int], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """The first project, whose stores are up and its own."""
    project = lab.variant(tmp_path_factory.mktemp("first"), ports=ports, options=ALONE)
    with started(project) as running:
        running.wait_until_ended("adoption", timeout_s=240)
        yield running


def test_a_second_project_on_the_same_ports_is_refused_at_once(
    lab: Lab, first: Up, ports: dict[int, int], tmp_path: Path
) -> None:
    """Each service says whose port it is and how to move; none is ready, and no store is adopted."""
    second = lab.variant(tmp_path, ports=ports, options=ALONE)

    with started(second) as running:
        running.wait_for(*(f"{name}: port" for name in STORES), timeout_s=240)
        adopted = running.shell("devenv", "tasks", "run", "ragbed:adopt")

    for name in STORES:
        line = next(line for line in running.said if f"{name}: port" in line)
        assert re.search(rf"is taken by {WHOSE.format(project=first.lab.project)}; stop it, or move", line), (
            line
        )
        assert "services.ragbed.portOffset (this one: services." in line
    assert not any(": ready" in line for line in running.said)
    assert adopted.returncode != 0
    assert "is not the one of this project" in adopted.stdout + adopted.stderr
    assert "Adopted." not in adopted.stdout + "".join(running.said)


def test_two_projects_with_different_offsets_run_side_by_side(
    lab: Lab, first: Up, ports: dict[int, int], tmp_path: Path
) -> None:
    """All ports and variables move, and each project has its own documents."""
    del first
    second = lab.variant(tmp_path, ports=ports, options=f"{ALONE} ragbed.portOffset = {OFFSET};")

    with started(second) as running:
        running.wait_until_ended("adoption", timeout_s=240)
        shown = running.shell("bash", "-c", 'echo "$DATABASE_URL $REDIS_URL $QDRANT_URL"')

    moved = [str(ports[old] + OFFSET) for old in (5432, 6379, 6333)]
    assert [re.findall(r":(\d+)", url)[-1] for url in shown.stdout.split()[-3:]] == moved
