"""`ragbed doctor` as a command: what it reads, what it leaves alone, how it ends."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import socket
import struct
import subprocess
import sys
import termios
from typing import TYPE_CHECKING

import pytest
from doctor_run import CHECKOUT, Machine, Seen, silent_ports, tree
from jsonschema import Draft202012Validator

from ragbed.errors import ExitCode
from ragbed.stack import SERVICES

if TYPE_CHECKING:
    from pathlib import Path

    from ragbed_command import RagbedCommand

TOPICS = [
    *("system", "cpu", "memory", "disk", "python", "nix", "devenv", "docker", "go"),
    *("settings", "stack.toml", "models.lock", "wheels"),
    *SERVICES,
    *("all-minilm:latest", "qwen2.5:0.5b", "other models"),
]


def on_terminal(machine: Machine, columns: int) -> str:
    """Return what the doctor prints on a terminal of that width."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(machine.root)
        os.execve(sys.executable, [sys.executable, "-m", "ragbed", "doctor"], machine.command.variables())  # noqa: S606
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 60, columns, 0, 0))
    printed = b""
    try:
        while data := os.read(terminal, 65536):
            printed += data
    except OSError:  # Linux says so at the end
        pass
    os.waitpid(pid, 0)
    os.close(terminal)
    return printed.decode().replace("\r", "")


def test_every_topic_has_a_line_in_order(machine: Machine) -> None:
    """As many topics as a machine without a live Ollama has."""
    assert [one["topic"] for one in machine.run().report["findings"]] == TOPICS


def test_the_report_fits_the_published_schema(machine: Machine) -> None:
    """One document on stdout, and the exit code in it is the command's."""
    schema = json.loads((CHECKOUT / "docs" / "doctor-report.schema.json").read_text(encoding="utf-8"))

    seen = machine.run()

    Draft202012Validator(schema).validate(seen.report)
    assert seen.report["exit_code"] == seen.code


@pytest.mark.parametrize("other", [["--json"], ["--against", "ci.json"]], ids=["json", "against"])
def test_symptoms_are_no_report(other: list[str], ragbed: RagbedCommand) -> None:
    """A flag that would have no effect is refused."""
    done = ragbed.run("doctor", "--symptoms", *other)

    assert done.returncode == ExitCode.USAGE
    assert f"--symptoms and {other[0]} exclude each other" in done.stderr


def test_through_a_pipe_each_topic_is_one_line(machine: Machine) -> None:
    """For grep and for logs: nothing is wrapped, no colour is in it."""
    lines = machine.shown().out.splitlines()

    assert "\x1b" not in "".join(lines)
    assert [topic for topic in TOPICS if sum(line.startswith(f"{topic}\t") for line in lines) != 1] == []


@pytest.mark.parametrize("columns", [80, 120])
def test_on_a_terminal_the_table_fits_its_width(columns: int, machine: Machine) -> None:
    """Cells are wrapped, none is cut."""
    shown = on_terminal(machine, columns).replace("\x1b[0m", "").replace("\x1b[1m", "")
    table = shown[: shown.rindex("\n \n") if "\n \n" in shown else len(shown)].splitlines()
    rows = [line for line in table if line.startswith(" ")]

    assert len(rows) > len(TOPICS)
    assert max(len(line) for line in rows) <= columns
    assert "…" not in "".join(rows)


def test_nothing_is_made_on_a_new_machine(machine: Machine) -> None:
    """No state folder, no file at home or in the project."""
    _ = machine.command  # makes the empty home
    before = tree(machine.root)

    machine.run()

    assert tree(machine.root) == before


def test_a_running_stack_is_left_as_it_is(ragbed_up: RagbedCommand) -> None:
    """Its services are shown, and nothing in the state folder changes but what they write themselves."""
    before = {
        path: seen for path, seen in tree(ragbed_up.state).items() if not path.startswith(("data", "logs"))
    }

    report = ragbed_up.json("doctor")

    found = {one["topic"]: one for one in report["findings"]}
    assert [found[name]["state"] for name in SERVICES] == ["ok"] * 4
    assert all(found[name]["seen"].startswith("the running stack's") for name in SERVICES)
    after = {
        path: seen for path, seen in tree(ragbed_up.state).items() if not path.startswith(("data", "logs"))
    }
    assert after == before


def test_a_shell_with_a_running_stacks_addresses_is_right(ragbed_up: RagbedCommand) -> None:
    """After `eval "$(ragbed env)"` OLLAMA_HOST names the stack's mock, which needs no model."""
    report = ragbed_up.json("doctor", **ragbed_up.urls())

    states = {one["topic"]: one["state"] for one in report["findings"]}
    assert (states["ollama"], states["all-minilm:latest"]) == ("ok", "note")


def test_a_service_that_died_is_missing(ragbed: RagbedCommand) -> None:
    """Exit code 10, and what starts it again."""
    assert ragbed.run("up", "-d").returncode == 0
    pid = next(one["pid"] for one in ragbed.json("status")["services"] if one["name"] == "redis")
    os.kill(pid, 9)

    done = ragbed.run("doctor")

    assert done.returncode == ExitCode.SERVICE_MISSING
    assert "try: redis: ragbed up -d" in done.stdout


AUDITED = """
import sys
noted = open(sys.argv[1], "a", buffering=1)
def note(event, args):
    if event in {"socket.connect", "socket.getaddrinfo"}:
        noted.write(f"{event} {args[1:]}\\n")
sys.addaudithook(note)
from ragbed.cli import main
main(["doctor", "--json"])
"""


def audited(machine: Machine, **environ: str) -> tuple[Seen, str]:
    """Run the doctor and note every connection it tries."""
    log = machine.root / "connections"
    log.touch()
    done = subprocess.run(
        [sys.executable, "-c", AUDITED, str(log)],
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
        cwd=machine.root,
        env=machine.command.variables(**environ),
    )
    seen = Seen(code=done.returncode, out=done.stdout, report=json.loads(done.stdout))
    return seen, log.read_text(encoding="utf-8")


def given(ports: dict[str, int]) -> dict[str, str]:
    """Return the variables that name services on these ports."""
    return {
        "DATABASE_URL": f"postgresql://me@127.0.0.1:{ports['postgres']}/app",
        "REDIS_URL": f"redis://127.0.0.1:{ports['redis']}/0",
        "QDRANT_URL": f"http://127.0.0.1:{ports['qdrant']}",
        "OLLAMA_HOST": f"http://127.0.0.1:{ports['ollama']}",
    }


def test_in_production_no_service_is_asked(machine: Machine) -> None:
    """It works, reads, connects to nobody, and ends with 0."""
    with silent_ports() as ports:
        machine.plant_pins(**ports)
        seen, tried = audited(machine, APP_ENV="production", **given(ports))
        asked = ports.asked()

    assert (seen.code, tried, asked) == (ExitCode.FINE, "", [])
    assert seen.state("settings", *SERVICES) == ["note"] * 5


def test_the_hook_would_have_noticed(machine: Machine) -> None:
    """In tier local the same addresses are asked, so that silence above means something."""
    with silent_ports() as ports:
        _, tried = audited(machine, **given(ports))
        asked = ports.asked()

    assert "socket.connect" in tried
    assert asked == list(SERVICES)


def test_an_address_of_production_is_refused_without_a_connection(machine: Machine) -> None:
    """In tier local too; the line says what `ragbed up` would, and the other services are shown."""
    seen, tried = audited(machine, REDIS_URL="redis://redis-prod.example.com/0")

    assert (seen.code, tried) == (ExitCode.USAGE, "")
    assert "named like production" in seen["redis"]["seen"]
    assert seen["settings"]["state"] == "wrong"
    assert seen["postgres"]["state"] == "ok"


def test_a_secret_is_not_shown(machine: Machine) -> None:
    """Neither in a sentence nor in a hint."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"redis://me:hunter2-of-somebody@127.0.0.1:{closed.getsockname()[1]}/0"
        seen = machine.run(REDIS_URL=url)

    assert seen.code == ExitCode.SERVICE_MISSING
    assert "hunter2" not in seen.out


def test_what_differs_from_another_machine_is_named(machine: Machine, tmp_path: Path) -> None:
    """A report kept elsewhere, with another version of Go and no Nix."""
    report = machine.run().report
    for one in report["findings"]:
        one["value"] = {"go": "0.1"}.get(one["topic"], one["value"])
    (tmp_path / "ci.json").write_text(json.dumps(report))

    again = machine.run("--against", str(tmp_path / "ci.json"))

    assert [(one["topic"], one["there"]) for one in again.report["differences"]] == [("go", "0.1")]
    assert "\ngo\t" in machine.shown("--against", str(tmp_path / "ci.json")).out.rpartition("differs")[2]


def test_a_report_that_is_none_is_wrong_usage(machine: Machine, tmp_path: Path) -> None:
    """Before anything is looked at."""
    done = machine.command.run("doctor", "--against", str(tmp_path / "nope.json"))

    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    assert "nope.json" in done.stderr
