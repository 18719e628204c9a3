"""`ragbed parity` as a command, on private processes and on a stack that is attached to."""

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

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "parity.schema.json").read_text(encoding="utf-8"))
SUITES = (
    "--suite",
    "llm",
    "--suite",
    "postgres",
    "--suite",
    "redis",
    "--suite",
    "golden",
    "--suite",
    "smoke",
)


def test_attached_services_give_what_private_processes_give(ragbed_up: RagbedCommand, tmp_path: Path) -> None:
    """Equal vectors retrieve equal ids, every stage passes on both, and no difference is unknown."""
    page = tmp_path / "parity.html"

    launchers = ("--launcher", "process", "--launcher", "attach")  # the pinned images may not be here

    done = ragbed_up.run("parity", *launchers, *SUITES, "--json", "--html", str(page), **ragbed_up.urls())

    report: dict[str, Any] = json.loads(done.stdout)
    Draft202012Validator(SCHEMA).validate(report)
    assert (done.returncode, report["ok"]) == (ExitCode.FINE, True), report
    used = {one["name"]: {each["launcher"] for each in one["services"]} for one in report["launchers"]}
    assert used == {"process": {"process"}, "attach": {"attach"}}
    assert report["cases"]["golden"] > 100
    assert {row["suite"] for row in report["differences"]} == {"llm"}
    assert "every difference is known" in page.read_text(encoding="utf-8")


def test_production_is_refused_before_anything_starts(ragbed_up: RagbedCommand) -> None:
    """Suites write to stores."""
    done = ragbed_up.run("parity", APP_ENV="production")

    assert done.returncode == ExitCode.REFUSED
    assert done.stdout == ""


def test_a_launcher_that_is_not_there_is_wrong_usage(ragbed_up: RagbedCommand) -> None:
    """The message says why it is not there."""
    done = ragbed_up.run("parity", "--launcher", "attach")

    assert done.returncode == ExitCode.USAGE
    assert "attach: none of DATABASE_URL" in done.stderr


@pytest.mark.parametrize("words", [("--suite", "nope"), ("--launcher", "nope")], ids=" ".join)
def test_unknown_names_are_wrong_usage(ragbed_up: RagbedCommand, words: tuple[str, str]) -> None:
    """The choices are named."""
    done = ragbed_up.run("parity", *words)

    assert done.returncode == ExitCode.USAGE
    assert "golden" in done.stderr or "process" in done.stderr


def test_a_server_that_behaves_otherwise_is_found(ragbed_up: RagbedCommand) -> None:
    """A mock that answers for every model refuses none: an unknown difference, and the exit code of a failed check."""
    command = [sys.executable, "-P", "-m", "ragbed.gateway", "--port", "0"]
    environ = {**os.environ, "RAGBED_MOCK__ANY_MODEL": "true"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as server:
        assert server.stdout is not None
        url = server.stdout.readline().split()[-1]
        try:
            words = ("--launcher", "attach", "--suite", "llm", "--json")
            done = ragbed_up.run("parity", *words, OLLAMA_HOST=url)
        finally:
            server.terminate()

    report: dict[str, Any] = json.loads(done.stdout)
    unknown = [row["case"] for row in report["differences"] if row["cells"]["attach"]["status"] == "differs"]
    assert (done.returncode, report["ok"]) == (ExitCode.CHECK_FAILED, False)
    assert any("unknown model" in case for case in unknown), unknown
