"""`docs/runs.md`: its commands work as they stand there, and what they print fits the schemas it names."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema

if TYPE_CHECKING:
    from ragbed_command import RagbedCommand

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "runs.md").read_text(encoding="utf-8")
COMMANDS = [
    shlex.split(line)[1:]
    for block in re.findall(r"^```bash\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]


def test_the_pages_commands_work(ragbed: RagbedCommand) -> None:
    """The run of the first command is listed by the second and shown by the third and fourth."""
    outputs = []
    for words in COMMANDS:
        answer = ragbed.run(*words)
        assert (answer.returncode, answer.stderr if words[0] == "runs" else "") == (0, ""), words
        outputs.append(answer.stdout)

    _, listed, shown, as_json = outputs
    heading, row = listed.splitlines()
    assert heading.split("\t") == ["run", "status", "time", "command"]
    run, status, _, command = row.split("\t")
    assert (status, command) == ("passed", "ragbed smoke --stage guard")
    assert shown.splitlines()[:2] == [f"run {run}: passed", "command: ragbed smoke --stage guard"]
    assert outputs[0].splitlines()[0] == "stage\tresult\ttime\twhat was seen"
    assert outputs[0] in shown
    value = json.loads(as_json)
    assert (value["id"], value["artifacts"]) == (run, ["packages.txt", "report.json"])
    checker = jsonschema.FormatChecker()
    for name, part in (
        ("run", value),
        ("run-manifest", value["manifest"]),
        ("run-outcome", value["outcome"]),
    ):
        jsonschema.validate(part, schema(name), format_checker=checker)
    for event in value["events"]:
        jsonschema.validate(event, schema("event"), format_checker=checker)
    runs = ragbed.json("runs", "list", "--json")
    jsonschema.validate(runs, schema("runs"), format_checker=checker)


def test_without_runs_the_list_says_what_to_type(ragbed: RagbedCommand) -> None:
    """And a run that is not there is wrong usage."""
    assert ragbed.run("runs", "list").stdout == "No runs yet. Try: ragbed smoke\n"
    assert ragbed.json("runs", "list", "--json") == {"schema": "ragbed.runs/1", "runs": []}
    shown = ragbed.run("runs", "show")
    assert (shown.returncode, shown.stdout) == (2, "")
    assert shown.stderr.startswith("ragbed: no run last in ")


def schema(name: str) -> dict[str, object]:
    """Return a published schema."""
    value: dict[str, object] = json.loads((DOCS / f"{name}.schema.json").read_text(encoding="utf-8"))
    return value
