"""What a session says at its end, and tests that need a service of a kind."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ragbed_command import RagbedCommand

LAYERED = """
import time
import pytest

@pytest.mark.parametrize("n", range(8))
def test_small(n): pass

@pytest.mark.unit
def test_slow(): time.sleep(1.05)

@pytest.mark.integration
def test_parts(): pass

@pytest.mark.skip
def test_not_run(): pass
"""
NEEDS = """
import pytest

@pytest.mark.needs(qdrant="server")
def test_server(): pass

@pytest.mark.needs(qdrant="substitute", postgres="server")
def test_substitute(ragbed_stack): assert ragbed_stack["qdrant"].product == "embedded-qdrant"

@pytest.mark.live
def test_live(): pass

@pytest.mark.needs(qdrant="cluster")
def test_wrong(): pass
"""


@pytest.fixture
def project(ragbed: RagbedCommand) -> RagbedCommand:
    """A project that uses ragbed, with a folder of unit tests."""
    (ragbed.folder / "ragbed.toml").touch()
    (ragbed.folder / "unit").mkdir()
    return ragbed


def session(command: RagbedCommand, *words: str) -> str:
    """Run pytest in the project and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "--rootdir", ".", *words],
        cwd=command.folder,
        env=command.variables(RAGBED_ROOT=str(command.folder)),
        check=False,
        capture_output=True,
        text=True,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("words", [(), ("-n", "2")], ids=["one process", "two workers"])
def test_layers_are_told_with_their_shares(words: tuple[str, ...], project: RagbedCommand) -> None:
    """By marker, else by folder; a skipped test is none that ran, and one without a layer is counted apart."""
    (project.folder / "unit" / "test_here.py").write_text(LAYERED, encoding="utf-8")
    (project.folder / "test_elsewhere.py").write_text("def test_any(): pass\n", encoding="utf-8")
    said = session(project, *words)

    assert (
        "ragbed: tests by layer: unit 9 (90 % of 80 %, 1 s of 120 s), integration 1 (10 % of 15 %, 0 s of 300 s),"
        " e2e 0 (0 % of 5 %, 0 s of 600 s), no layer 1"
    ) in said
    assert "ragbed: 1 unit tests took more than 1 s: unit/test_here.py::test_slow 1." in said


def test_needs_skips_with_its_reason(project: RagbedCommand) -> None:
    """And the end says what was real; a marker that asks for what does not exist is an error."""
    (project.folder / "test_needs.py").write_text(NEEDS, encoding="utf-8")
    said = session(project)

    assert "needs a real qdrant, and the stack has embedded-qdrant" in said
    assert "needs a real ollama, and the stack has mock-llm" in said
    assert "1 passed, 2 skipped, 1 error" in said
    assert "needs(qdrant='cluster'): the services are postgres, redis, qdrant, ollama" in said
    assert "ragbed: real: postgres" in said
    assert "; not real: embedded-qdrant " in said


def test_a_session_without_ragbed_says_nothing(ragbed: RagbedCommand) -> None:
    """The plugin is installed beside tests that do not know it."""
    (ragbed.folder / "test_own.py").write_text("def test_any(): pass\n", encoding="utf-8")

    assert "ragbed" not in session(ragbed)
