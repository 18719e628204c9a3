"""A test session that uses ragbed is a run; another one leaves nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest

from ragbed.runs import RunRecord, list_runs
from ragbed.state import StateFolder

if TYPE_CHECKING:
    from ragbed_command import RagbedCommand

DOCS = Path(__file__).parents[3] / "docs"
MIXED = """
import pytest

def test_passes(): pass

def test_fails(): assert 1 == 2

@pytest.mark.skip
def test_is_skipped(): pass

@pytest.fixture
def broken(): raise ValueError("no")

def test_has_no_fixture(broken): pass
"""
OURS = "def test_one(ragbed_settings): pass\n\ndef test_two(ragbed_settings): pass\n"


def session(command: RagbedCommand, text: str, *words: str) -> list[RunRecord]:
    """Run pytest over a file in the command's project, and return the runs that it has then."""
    (command.folder / "test_own.py").write_text(text, encoding="utf-8")
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "--rootdir",
            ".",
            *words,
            "test_own.py",
        ],
        cwd=command.folder,
        env=command.variables(RAGBED_ROOT=str(command.folder)),
        check=False,
        capture_output=True,
        timeout=120,
    )
    return list_runs(StateFolder(command.state))


def test_a_project_with_a_settings_file_has_its_sessions_recorded(ragbed: RagbedCommand) -> None:
    """An event per test with what came of it, and the counts in the outcome."""
    (ragbed.folder / "ragbed.toml").touch()

    (run,) = session(ragbed, MIXED)

    events, skipped = run.events()
    ended = {event.subject: event for event in events if event.kind == "test.ended"}
    assert {test.partition("::")[2]: event.data["status"] for test, event in ended.items()} == {
        "test_passes": "passed",
        "test_fails": "failed",
        "test_is_skipped": "skipped",
        "test_has_no_fixture": "errored",
    }
    failed = ended["test_own.py::test_fails"]
    assert (failed.test, failed.data["message"], skipped) == (failed.subject, "assert 1 == 2", 0)
    assert run.outcome is not None
    assert run.outcome["facts"] == {"passed": 1, "failed": 1, "errored": 1, "skipped": 1}
    assert (run.status, run.outcome["failure"]["message"]) == ("failed", "2 tests failed")
    assert run.outcome["failure"]["details"] == [
        "test_own.py::test_fails",
        "test_own.py::test_has_no_fixture",
    ]
    assert run.manifest["command"][:2] == ["pytest", "-q"]
    for name, value in (("run-manifest", run.manifest), ("run-outcome", run.outcome)):
        schema = json.loads((DOCS / f"{name}.schema.json").read_text(encoding="utf-8"))
        jsonschema.validate(dict(value), schema, format_checker=jsonschema.FormatChecker())


@pytest.mark.parametrize("words", [(), ("-n", "2")], ids=["one process", "two workers"])
def test_a_session_that_uses_a_fixture_of_ours_is_recorded(
    ragbed: RagbedCommand, words: tuple[str, ...]
) -> None:
    """Without a settings file too; with workers, by the process that has them, as one run."""
    (run,) = session(ragbed, OURS, *words)

    ended = {str(event.subject) for event in run.events()[0] if event.kind == "test.ended"}
    assert (run.status, ended) == ("passed", {"test_own.py::test_one", "test_own.py::test_two"})


def test_a_session_that_uses_our_marker_is_recorded(ragbed: RagbedCommand) -> None:
    """As the smoke run is marked."""
    (run,) = session(ragbed, "import pytest\n\n@pytest.mark.smoke\ndef test_a(): pass\n")

    assert (run.status, run.manifest["kind"]) == ("passed", "pytest")


@pytest.mark.parametrize(
    ("text", "words"), [(MIXED, ()), (OURS, ("--collect-only",))], ids=["without ragbed", "only listed"]
)
def test_other_sessions_leave_nothing(ragbed: RagbedCommand, text: str, words: tuple[str, ...]) -> None:
    """Not even the folder of runs."""
    assert session(ragbed, text, *words) == []
    assert not StateFolder(ragbed.state).runs.exists()


ASKING = """
import pytest

@pytest.mark.parametrize("number", range(4))
def test_embeds(number, ragbed_pipeline):
    ragbed_pipeline.embed([f"the text of test {number}"])
"""


@pytest.mark.parametrize("words", [(), ("-n", "2")], ids=["one process", "two workers"])
def test_fixtures_and_calls_of_tests_are_in_the_run(ragbed: RagbedCommand, words: tuple[str, ...]) -> None:
    """What fixtures start and whom tests ask is told once, in order, wherever the tests ran."""
    (run,) = session(ragbed, ASKING, *words)

    events, skipped = run.events()
    assert (run.status, skipped) == ("passed", 0)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert [event.at for event in events] == sorted(event.at for event in events)
    assert {event.run for event in events} == {run.id}
    ready = [event for event in events if event.kind == "service.ready"]
    assert {event.subject for event in ready} == {"postgres", "redis", "qdrant", "ollama"}
    tests = [f"test_own.py::test_embeds[{number}]" for number in range(4)]
    llm_calls = [event for event in events if event.kind == "llm.call" and event.data["input_tokens"]]
    assert sorted(str(event.test) for event in llm_calls) == tests
    assert len({event.data["id"] for event in llm_calls}) == 4
    assert {one["service"] for one in run.manifest["endpoints"]} == {"postgres", "redis", "qdrant", "ollama"}
    assert not [path for path in run.folder.parent.iterdir() if path != run.folder]
