"""What each process ran in which order: recorded, and run again just so."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from ragbed_command import RagbedCommand

MANY = """
import os, pathlib, time
import pytest

@pytest.mark.parametrize("number", range(200))
def test_one(number):
    time.sleep((number * 37 % 11) / 5000)
    place = pathlib.Path(os.environ["SEEN"], os.environ.get("PYTEST_XDIST_WORKER", "main"))
    with place.open("a") as file:
        file.write(f"test_many.py::test_one[{number}]\\n")
"""


@pytest.fixture
def project(ragbed: RagbedCommand) -> RagbedCommand:
    """A project with tests whose workers finish at different times."""
    (ragbed.folder / "ragbed.toml").touch()
    (ragbed.folder / "test_many.py").write_text(MANY, encoding="utf-8")
    return ragbed


def session(
    command: RagbedCommand, *words: str, seen: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run pytest in the project; tests note in a folder where they ran."""
    seen = seen or command.folder / "unread"
    seen.mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", ".", *words],
        cwd=command.folder,
        env=command.variables(RAGBED_ROOT=str(command.folder), SEEN=str(seen)),
        check=False,
        capture_output=True,
        text=True,
    )


def orders(seen: Path) -> dict[str, list[str]]:
    """Return what the tests themselves noted, by worker."""
    return {file.name: file.read_text(encoding="utf-8").split() for file in seen.iterdir()}


def newest_run(command: RagbedCommand) -> Path:
    """Return the folder of the last run."""
    return max((command.state / "runs").iterdir(), key=lambda path: path.name)


def recorded(run: Path) -> dict[str, list[str]]:
    """Return what the run's record files say, by worker: the first line of each test."""
    found = {}
    for file in (run / "artifacts" / "sequence").iterdir():
        lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        found[file.stem] = list(dict.fromkeys(line["nodeid"] for line in lines))
    return found


def test_four_workers_run_it_again_at_the_same_positions(project: RagbedCommand) -> None:
    """Every test in the same worker at the same place, twice; and what was recorded is what ran."""
    assert session(project, "-n", "4", seen=project.folder / "first").returncode == 0
    run = newest_run(project)
    first = orders(project.folder / "first")
    for again in ("second", "third"):
        done = session(project, "-n", "4", "--ragbed-sequence", str(run), seen=project.folder / again)
        assert done.returncode == 0, done.stdout + done.stderr
        assert orders(project.folder / again) == first

    assert recorded(run) == first
    assert sum(map(len, first.values())) == 200


def test_one_process_runs_a_workers_part_again(project: RagbedCommand) -> None:
    """A record file by itself is a sequence; other tests are deselected."""
    session(project, "-n", "2")
    file = newest_run(project) / "artifacts" / "sequence" / "gw1.jsonl"
    done = session(project, "--ragbed-sequence", str(file), seen=project.folder / "again")

    ran = orders(project.folder / "again")["main"]
    assert ran == recorded(file.parents[2])["gw1"]
    assert f"{len(ran)} passed, {200 - len(ran)} deselected" in done.stdout


def test_another_number_of_workers_is_refused(project: RagbedCommand) -> None:
    """It would not be the same run."""
    session(project, "-n", "2")
    run = str(newest_run(project))
    three, none = (
        session(project, "-n", "3", "--ragbed-sequence", run),
        session(project, "--ragbed-sequence", run),
    )

    assert (three.returncode, none.returncode) == (4, 4)
    assert "was recorded with 2 workers, and not with 3: take -n 2" in three.stdout + three.stderr
    assert "was recorded with 2 workers: add -n 2" in none.stdout + none.stderr


def test_a_test_that_is_gone_is_named(project: RagbedCommand) -> None:
    """Before any test runs."""
    session(project, "-k", "test_one[1]")
    file = newest_run(project) / "artifacts" / "sequence" / "main.jsonl"
    (project.folder / "test_many.py").write_text("def test_two(): pass\n", encoding="utf-8")
    done = session(project, "--ragbed-sequence", str(file))

    assert done.returncode == 4
    assert "1 of the recorded tests were not collected, the first is test_many.py::test_one[1]" in done.stderr


def test_a_crash_leaves_what_was_running(project: RagbedCommand) -> None:
    """The test that killed the process is the last one of its record."""
    (project.folder / "test_many.py").write_text(
        "import os, signal\n\ndef test_a(): pass\n\ndef test_b(): os.kill(os.getpid(), signal.SIGKILL)\n",
        encoding="utf-8",
    )
    session(project)

    assert recorded(newest_run(project)) == {"main": ["test_many.py::test_a", "test_many.py::test_b"]}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        ("", "holds no sequence of tests"),
        ("x\ny\n", "line 1 of it.jsonl is not a record"),
    ],
    ids=["missing", "empty", "garbage"],
)
def test_what_holds_no_sequence_is_refused(content: str | None, said: str, project: RagbedCommand) -> None:
    """In the first lines, before anything is collected."""
    if content is not None:
        (project.folder / "it.jsonl").write_text(content, encoding="utf-8")
    done = session(project, "--ragbed-sequence", "it.jsonl")

    assert done.returncode == 4
    assert said in done.stderr


def test_outcomes_are_recorded(project: RagbedCommand) -> None:
    """As pytest-replay does, a line at the start and one at the end."""
    (project.folder / "test_many.py").write_text(
        "import pytest\n\ndef test_a(): pass\n\ndef test_b(): assert 0\n\ndef test_c(): pytest.skip('no')\n",
        encoding="utf-8",
    )
    session(project)
    file = newest_run(project) / "artifacts" / "sequence" / "main.jsonl"
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]

    assert [line.get("outcome") for line in lines] == [None, "passed", None, "failed", None, "skipped"]
    assert all(line["finish"] >= line["start"] for line in lines if "finish" in line)
