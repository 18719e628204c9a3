"""What is built for our tests is built once, by one builder at a time, and is whole or not there."""

from __future__ import annotations

import multiprocessing
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tiny_models.cached import ROOT, built_once

if TYPE_CHECKING:
    from pathlib import Path

_KILLED = """
import sys, time
from pathlib import Path
from tiny_models.cached import built_once

def build(folder):
    (folder / "half").write_text("half")
    print("half", flush=True)
    time.sleep(60)

built_once(Path(sys.argv[1]), build)
"""


def _write_whole(folder: Path) -> None:
    (folder / "program").write_text("whole")


def _refuse(folder: Path) -> None:
    raise AssertionError(f"{folder} was built again")


def _build_slowly(
    target: Path, begun: multiprocessing.synchronize.Event, go_on: multiprocessing.synchronize.Event
) -> None:
    def build(folder: Path) -> None:
        begun.set()
        go_on.wait(30)
        _write_whole(folder)

    built_once(target, build)


def _come_second(target: Path, came: multiprocessing.synchronize.Event) -> None:
    came.set()
    built_once(target, _refuse)


def test_what_is_there_is_not_built_again(tmp_path: Path) -> None:
    """The second call finds the folder."""
    built_once(tmp_path / "tool", _write_whole)

    assert (built_once(tmp_path / "tool", _refuse) / "program").read_text() == "whole"


def test_a_second_builder_waits_and_finds_it(tmp_path: Path) -> None:
    """Whoever comes while the first one builds does not build."""
    context = multiprocessing.get_context("spawn")
    begun, came, go_on = context.Event(), context.Event(), context.Event()
    first = context.Process(target=_build_slowly, args=(tmp_path / "tool", begun, go_on))
    first.start()
    assert begun.wait(30)
    second = context.Process(target=_come_second, args=(tmp_path / "tool", came))
    second.start()
    assert came.wait(30)
    second.join(0.5)
    waits = second.is_alive()

    go_on.set()
    first.join(30)
    second.join(30)

    assert waits
    assert (first.exitcode, second.exitcode) == (0, 0)


def test_a_killed_builder_leaves_nothing_wrong(tmp_path: Path) -> None:
    """Half a build never gets the name, and the next builder takes it away."""
    command = [sys.executable, "-c", _KILLED, str(tmp_path / "tool")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT / "tests") as killed:
        assert killed.stdout
        assert killed.stdout.readline() == b"half\n"
        killed.send_signal(signal.SIGKILL)
    assert not (tmp_path / "tool").exists()

    built_once(tmp_path / "tool", _write_whole)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["tool", "tool.lock"]
    assert [path.name for path in (tmp_path / "tool").iterdir()] == ["program"]


def test_a_failed_build_leaves_nothing(tmp_path: Path) -> None:
    """The next call builds anew."""

    def fail(folder: Path) -> None:
        _write_whole(folder)
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        built_once(tmp_path / "tool", fail)

    assert [path.name for path in tmp_path.iterdir()] == ["tool.lock"]
