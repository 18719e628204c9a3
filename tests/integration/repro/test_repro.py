"""A test session that failed is made again: here, from a bundle elsewhere, with the order and variables it had."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from ragbed_command import RagbedCommand

DOCS = Path(__file__).parents[3] / "docs"
ORDER = """
import pytest
SEEN = []

@pytest.mark.parametrize("number", range(12))
def test_one(number):
    SEEN.append(number)

def test_last():
    assert SEEN == [], f"{len(SEEN)} tests ran before"
"""


@pytest.fixture
def project(ragbed: RagbedCommand) -> RagbedCommand:
    """A project that uses ragbed."""
    (ragbed.folder / "ragbed.toml").touch()
    return ragbed


def session(command: RagbedCommand, text: str, *words: str, **environ: str) -> str:
    """Run pytest over a file in the project, and return what it prints."""
    (command.folder / "test_own.py").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", ".", *words],
        cwd=command.folder,
        env=command.variables(RAGBED_ROOT=str(command.folder), **environ),
        check=False,
        capture_output=True,
        text=True,
    )
    return done.stdout + done.stderr


def repro(command: RagbedCommand, *words: str) -> tuple[int, dict[str, Any]]:
    """Run `ragbed repro --json`, and return its exit code and verdict, which is as published."""
    done = command.run("repro", *words, "--json", RAGBED_ROOT=str(command.folder))
    assert done.stdout, done.stderr
    value = json.loads(done.stdout)
    jsonschema.validate(value, json.loads((DOCS / "repro.schema.json").read_text(encoding="utf-8")))
    return done.returncode, value


def test_the_line_that_a_red_session_prints_works(project: RagbedCommand) -> None:
    """Copied as it is."""
    said = session(project, "def test_a(): assert 1 == 2\n\ndef test_b(): pass\n")
    line = re.search(r"^reproduce: ragbed repro (\S+)$", said, re.MULTILINE)
    assert line, said
    code, value = repro(project, line[1])

    assert (code, value["verdict"]) == (0, "reproduced")
    assert value["failures"] == [
        {"subject": "test_own.py::test_a", "recorded": "assert 1 == 2", "again": "assert 1 == 2"}
    ]


def test_a_green_session_prints_no_line(project: RagbedCommand) -> None:
    """And cannot be reproduced."""
    assert "reproduce:" not in session(project, "def test_a(): pass\n")
    done = project.run("repro", "last")

    assert done.returncode == 2
    assert "did not fail: it passed" in done.stderr


def test_a_failure_that_needs_the_tests_before_it(project: RagbedCommand) -> None:
    """Alone it passes, which is said with what to try; with all of them it fails the same way."""
    session(project, ORDER)
    (first,) = (path.name for path in (project.state / "runs").iterdir())
    alone = repro(project, first)
    together = repro(project, first, "--all")

    assert (alone[0], alone[1]["verdict"]) == (20, "not reproduced")
    assert (together[0], together[1]["verdict"]) == (0, "reproduced")
    assert "12 tests ran before" in together[1]["failures"][0]["again"]


def test_a_failure_that_needs_its_worker(project: RagbedCommand) -> None:
    """The same tests run in the same workers: each fails, or passes, as it did."""
    text = (
        "import os, pytest\n\n@pytest.mark.parametrize('n', range(40))\ndef test_one(n):\n"
        "    assert os.environ['PYTEST_XDIST_WORKER'] != 'gw1', 'it was the second worker'\n"
    )
    session(project, text, "-n", "2")
    code, value = repro(project, "last")

    assert (code, value["verdict"]) == (0, "reproduced")
    assert len(value["failures"]) > 1


@pytest.mark.parametrize(
    ("text", "environ"),
    [
        ("import time\n\ndef test_a(): assert time.tzname[0] != 'JST', time.tzname\n", {"TZ": "Asia/Tokyo"}),
        ("def test_a(): assert hash('ragbed') == 0\n", {"PYTHONHASHSEED": "4711"}),
        ("import os\n\ndef test_a(): assert os.environ.get('APP_ENV') != 'ci'\n", {"APP_ENV": "ci"}),
        (
            "import os\n\ndef test_a(): assert os.environ.get('LOG_LEVEL') != 'ERROR'\n",
            {"LOG_LEVEL": "ERROR"},
        ),
        ("import os\n\ndef test_a(): assert os.environ.get('LC_ALL') != 'C.UTF-8'\n", {"LC_ALL": "C.UTF-8"}),
    ],
    ids=["time zone", "hash seed", "tier", "setting", "locale"],
)
def test_surroundings_are_put_back(text: str, environ: dict[str, str], project: RagbedCommand) -> None:
    """What this shell has does not count."""
    session(project, text, **environ)
    code, value = repro(project, "last")

    assert (code, value["verdict"]) == (0, "reproduced")


def test_a_bundle_fails_the_same_way_elsewhere(
    project: RagbedCommand, make_ragbed: Callable[..., RagbedCommand]
) -> None:
    """In another folder with the same tests, which never had the run; a port in the message may differ."""
    text = (
        "import os, random\n\ndef test_a(): assert 0, f'refused by 127.0.0.1:{random.randint(1000, 9999)}'\n"
    )
    session(project, text)
    bundle = project.folder / "failure.tar.gz"
    packed = project.json("runs", "bundle", "last", "--into", str(bundle))
    other = make_ragbed()
    (other.folder / "ragbed.toml").touch()
    (other.folder / "test_own.py").write_text(text, encoding="utf-8")
    code, value = repro(other, str(bundle))

    assert (code, value["verdict"]) == (0, "reproduced")
    assert {"manifest.json", "events.jsonl", "outcome.json"} <= set(packed["files"])
    assert "artifacts/sequence/main.jsonl" in packed["files"]
    assert packed["left_out"] == []


def test_a_fixed_failure_and_another_one_are_told_apart(project: RagbedCommand) -> None:
    """20 and 21, with both messages."""
    session(project, "def test_a(): assert 1 == 2\n")
    run = next((project.state / "runs").iterdir()).name
    (project.folder / "test_own.py").write_text("def test_a(): pass\n", encoding="utf-8")
    fixed = repro(project, run)
    (project.folder / "test_own.py").write_text(
        "def test_a(): raise ValueError('elsewhere')\n", encoding="utf-8"
    )
    other = repro(project, run)

    assert (fixed[0], fixed[1]["verdict"]) == (20, "not reproduced")
    assert (other[0], other[1]["verdict"]) == (21, "a different failure")
    assert other[1]["failures"][0] == {
        "subject": "test_own.py::test_a",
        "recorded": "assert 1 == 2",
        "again": "ValueError: elsewhere",
    }


def test_a_rare_failure_is_tried_again(project: RagbedCommand) -> None:
    """Until it shows, or the tries are over."""
    text = (
        "import pathlib\n\ndef test_a():\n    counter = pathlib.Path('tries')\n"
        "    tries = int(counter.read_text()) if counter.exists() else 2\n"
        "    counter.write_text(str(tries + 1))\n    assert tries % 3, 'every third time'\n"
    )
    for _ in range(2):
        session(project, text)
    code, value = repro(project, "last", "--until-fails", "5")

    assert (code, value["verdict"]) == (0, "reproduced")
    assert (project.folder / "tries").read_text(encoding="utf-8") == "7"


def test_what_is_not_a_run_is_refused(project: RagbedCommand) -> None:
    """A missing id, an empty folder, a file of another kind, an archive that leads out of its folder."""
    (project.folder / "empty").mkdir()
    (project.folder / "text").write_text("x", encoding="utf-8")
    (project.folder / "evil").write_text("x", encoding="utf-8")
    with tarfile.open(project.folder / "evil.tar.gz", "w:gz") as archive:
        archive.add(project.folder / "evil", "../evil")
    said = {name: project.run("repro", name) for name in ("20990101", "empty", "text", "evil.tar.gz")}

    assert {name: done.returncode for name, done in said.items()} == dict.fromkeys(said, 2)
    assert "no run 20990101" in said["20990101"].stderr
    assert "empty is not a run" in said["empty"].stderr
    assert "text is not a bundle" in said["text"].stderr
    assert "evil.tar.gz is not a bundle" in said["evil.tar.gz"].stderr


def test_a_red_smoke_run_is_made_again(project: RagbedCommand) -> None:
    """The line at its end works too."""
    (project.folder / "corpus").mkdir()
    done = project.run("smoke", "--corpus", "corpus", RAGBED_ROOT=str(project.folder))
    line = re.search(r"^reproduce: ragbed repro (\S+)$", done.stderr, re.MULTILINE)
    assert line, done.stderr
    code, value = repro(project, line[1])

    assert done.returncode != 0
    assert (code, value["verdict"]) == (0, "reproduced")
