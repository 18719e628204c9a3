"""An error of ours in a fixture is told in three lines, as on the command line."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ragbed_command import RagbedCommand

_TEST = "def test_mine(ragbed_stack):\n    assert ragbed_stack\n"


def errors_of(command: RagbedCommand, *options: str) -> list[str]:
    """Return the lines that pytest prints of a test whose database does not answer."""
    (command.folder / "test_mine.py").write_text(_TEST, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, "test_mine.py"],
        capture_output=True,
        text=True,
        check=False,
        cwd=command.folder,
        env=command.variables(DATABASE_URL="postgresql://me@127.0.0.1:9/x"),
    )
    assert done.returncode == 1, done.stdout
    return (
        done.stdout.partition("ERROR at setup of test_mine")[2]
        .partition("short test summary")[0]
        .partition("reproduce: ")[0]
        .splitlines()[1:]
    )


def test_a_fixtures_error_has_three_lines_with_the_hint(ragbed: RagbedCommand) -> None:
    """What happened to what, and what to do; no frames of ours."""
    lines = errors_of(ragbed)

    assert lines[0].startswith("ragbed: postgres does not answer at postgresql://me@127.0.0.1:9/x")
    assert lines[-1].startswith("try: start it, or unset DATABASE_URL")
    assert len(lines) <= 3


@pytest.mark.parametrize("option", ["--full-trace"])
def test_the_frames_are_there_on_demand(option: str, ragbed: RagbedCommand) -> None:
    """For whoever looks for a fault of ragbed's."""
    assert len(errors_of(ragbed, option)) > 20
