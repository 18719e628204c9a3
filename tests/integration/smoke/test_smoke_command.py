"""`ragbed smoke` as a command, on real servers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from ragbed.errors import ExitCode

if TYPE_CHECKING:
    from ragbed_command import RagbedCommand

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "smoke-report.schema.json").read_text())


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Return an environment with a state folder of its own and nobody's services in it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RAGBED_", "APP_ENV"))}
    return {**kept, "RAGBED_STATE_DIR": str(tmp_path / "state"), "RAGBED_STACK__DEFAULT_PORTS": "false"}


def smoke(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "ragbed", "smoke", *arguments],
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def shown_run(environ: dict[str, str]) -> dict[str, Any]:
    """Return the newest run as `ragbed runs show` tells it, from its folder alone."""
    words = [sys.executable, "-m", "ragbed", "runs", "show", "last", "--json"]
    shown: dict[str, Any] = json.loads(
        subprocess.run(words, env=environ, capture_output=True, check=True).stdout
    )
    return shown


def corpus(tmp_path: Path) -> Path:
    """Return a small corpus with garbage in it."""
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "cache.md").write_text("# Cache\n\nEmpty the cache with the command flush, then restart.\n")
    (folder / "port.txt").write_text("The server listens on port 7000 unless it is told otherwise.\n")
    (folder / "garbage.md").write_bytes(os.urandom(3000))
    (folder / "utf16.md").write_text("# Sixteen", encoding="utf-16")
    (folder / "picture.png").write_bytes(b"\x89PNG")
    return folder


def statuses(report: dict[str, Any]) -> dict[str, str]:
    """Return each stage's status."""
    return {stage["name"]: stage["status"] for stage in report["stages"]}


def test_whole_run_prints_one_document_that_fits_the_schema(environ: dict[str, str]) -> None:
    """--json prints the report and nothing else on stdout; every stage passed on the lessons."""
    done = smoke(environ, "--json")

    report = json.loads(done.stdout)
    Draft202012Validator(SCHEMA).validate(report)
    assert (done.returncode, set(statuses(report).values())) == (0, {"passed"})
    shown = shown_run(environ)
    assert shown["report"] == report
    llm_calls = [event for event in shown["events"] if event["kind"] == "llm.call"]
    assert {(event["run"], event["data"]["status"]) for event in llm_calls} == {(report["run_id"], "ok")}
    assert (
        sum(event["data"]["operation"] == "chat" for event in llm_calls) >= 4
    )  # two of the cache, answer, gap
    assert sum(event["data"]["operation"] == "embed" for event in llm_calls) > 160  # the golden questions


def test_corpus_of_somebody_with_garbage_in_it_passes(environ: dict[str, str], tmp_path: Path) -> None:
    """Files that cannot be read are counted and named; the others go all the way."""
    done = smoke(environ, "--json", "--corpus", str(corpus(tmp_path)))

    report = json.loads(done.stdout)
    assert (done.returncode, report["corpus"]["documents"], report["corpus"]["unreadable"]) == (0, 2, 2)
    assert "unreadable: garbage.md" in done.stderr


def test_require_live_turns_substitutes_into_a_failure(environ: dict[str, str], tmp_path: Path) -> None:
    """The embedded Qdrant and the mock LLM fail the stage that finds them; later stages are skipped."""
    junit = tmp_path / "junit.xml"

    done = smoke({**environ, "MODEL_PROVIDER": "mock"}, "--json", "--require-live", "--junit", str(junit))

    report = json.loads(done.stdout)
    assert (done.returncode, report["failure"]["stage"]) == (1, "stack")
    assert statuses(report)["parity"] == "skipped"
    assert 'failures="1"' in junit.read_text()
    assert shown_run(environ)["report"] == report


def test_stage_runs_up_to_it(environ: dict[str, str]) -> None:
    """--stage parity ends there, and nothing is left running."""
    done = smoke(environ, "--json", "--stage", "parity")

    ran = {name for name, status in statuses(json.loads(done.stdout)).items() if status == "passed"}
    assert (done.returncode, ran) == (0, {"guard", "stack", "parity"})
    assert list(Path(environ["RAGBED_STATE_DIR"], "leases").iterdir()) == []


def test_keep_leaves_the_stack_for_a_look(environ: dict[str, str]) -> None:
    """After --keep the stack is up like one of `ragbed up -d`; `ragbed down` ends it."""
    smoke(environ, "--keep", "--stage", "migrate")

    status = [sys.executable, "-m", "ragbed", "status", "--json"]
    found = subprocess.run(status, env=environ, capture_output=True, text=True, timeout=60, check=False)
    subprocess.run([sys.executable, "-m", "ragbed", "down"], env=environ, timeout=60, check=True)
    assert {service["state"] for service in json.loads(found.stdout)["services"]} == {"ready"}


def test_service_given_by_url_is_never_replaced(environ: dict[str, str]) -> None:
    """A Redis that does not answer where REDIS_URL says is exit code 10, and names the variable."""
    done = smoke({**environ, "REDIS_URL": "redis://127.0.0.1:1/0"}, "--json")

    report = json.loads(done.stdout)
    assert (done.returncode, report["failure"]["stage"]) == (10, "stack")
    assert "REDIS_URL" in report["failure"]["message"]


def test_failure_shows_what_where_and_what_to_try(environ: dict[str, str], tmp_path: Path) -> None:
    """The last lines on stderr: the stage and what happened, the evidence, what to try, how to have it again."""
    (tmp_path / "empty").mkdir()

    done = smoke(environ, "--corpus", str(tmp_path / "empty"))

    tail = done.stderr[done.stderr.index("ragbed smoke: corpus failed: no document in") :]
    assert tail.splitlines()[-2].startswith("try: ")
    assert tail.splitlines()[-1].startswith("reproduce: ragbed repro ")


def test_gap_pages_outlive_a_run_on_a_shared_stack(ragbed_up: RagbedCommand) -> None:
    """What the report names is there to be read, though the run's data has gone from the stack."""
    folder = ragbed_up.folder / "documents"
    folder.mkdir()
    (folder / "hello.md").write_text("# Hello\n\nPress the red button.\n")

    report = ragbed_up.json("smoke", "--corpus", str(folder))

    pages = Path(report["stages"][-1]["detail"].partition(" a page in ")[2])
    assert report["ok"]
    assert list(pages.glob("gap-*.md")) != []


def test_keep_after_a_failed_stage_says_that_the_stack_is_up(ragbed: RagbedCommand) -> None:
    """A failure is what somebody wants to look into: the last line says that they can."""
    (ragbed.folder / "empty").mkdir()

    done = ragbed.run("smoke", "--keep", "--corpus", "empty")

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("The stack is up for a look")
    assert ragbed.run("status").returncode == 0


def test_junit_that_cannot_be_written_hides_no_report(ragbed_up: RagbedCommand) -> None:
    """The report is on stdout; the file's error is on stderr, and makes exit code 2 of a run that passed."""
    done = ragbed_up.run("smoke", "--stage", "guard", "--junit", "/proc/nowhere/x.xml", "--json")

    assert (done.returncode, json.loads(done.stdout)["ok"]) == (2, True)
    assert "cannot write the JUnit report /proc/nowhere/x.xml" in done.stderr


def test_ask_says_that_the_mock_answered(ragbed_up: RagbedCommand, tmp_path: Path) -> None:
    """The model's name alone would be taken for the model."""
    (tmp_path / "hello.md").write_text("# Hello\n\nPress the red button.\n")
    ragbed_up.run("ingest", str(tmp_path))

    assert " (mock) in " in ragbed_up.run("ask", "Which button do I press?").stdout


def test_a_questions_file_that_is_not_there_is_told_with_a_line_of_one(
    environ: dict[str, str], tmp_path: Path
) -> None:
    """The advice is what to write, and not to look at services' logs."""
    done = smoke(environ, "--questions", str(tmp_path / "none.jsonl"))

    assert done.returncode == ExitCode.USAGE
    assert done.stderr.splitlines()[-1].startswith('try: name a file with a line each: {"id": "q1"')


def test_a_wrong_pin_file_leads_to_the_doctor(environ: dict[str, str], tmp_path: Path) -> None:
    """Its key is named; no log of a service could tell more."""
    (tmp_path / "stack.toml").write_text("[services.redis]\nport = 0\n", encoding="utf-8")

    done = smoke({**environ, "RAGBED_ROOT": str(tmp_path)}, "--stage", "stack")

    assert done.returncode == ExitCode.USAGE
    assert f"stack failed: {tmp_path / 'stack.toml'} is wrong" in done.stderr
    assert done.stderr.splitlines()[-1] == "try: ragbed doctor"
