"""A child on a lifeline ends with whoever holds the line, however that ends."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ragbed.lifeline import ABANDONED, lifeline

CHILD = (
    "import sys; from ragbed.lifeline import follow; follow(int(sys.argv[1])); print(1, flush=True); input()"
)
PARENT = f"""
import subprocess, sys
from ragbed.lifeline import lifeline
with lifeline() as line:
    subprocess.Popen([sys.executable, "-c", {CHILD!r}, str(line)], pass_fds=(line,)).wait()
"""


def test_a_killed_parent_takes_its_child_along() -> None:
    """The child holds our pipe as its output: the end of the file says that it has gone too."""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout
        assert parent.stdout.readline() == "1\n"
        parent.kill()
        assert parent.stdout.read() == ""


def test_letting_go_of_the_line_ends_the_child() -> None:
    """With an exit code of its own."""
    with lifeline() as line:
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(line)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=(line,),
        )
        assert child.stdout
        assert child.stdout.readline() == "1\n"

    with child:
        assert child.wait(20) == ABANDONED


@pytest.mark.parametrize("code", [0, 3])
def test_a_child_that_ends_by_itself_keeps_its_exit_code(code: int) -> None:
    """The thread that follows the line does not hold it up."""
    program = f"import sys; from ragbed.lifeline import follow; follow(int(sys.argv[1])); sys.exit({code})"

    with lifeline() as line:
        ended = subprocess.run(
            [sys.executable, "-c", program, str(line)], pass_fds=(line,), timeout=20, check=False
        )

    assert ended.returncode == code
