"""`up`, `status`, `env`, `logs`, `down`, `reset` in their real forms."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psutil
import psycopg
import pytest
import redis as redis_client

from ragbed.errors import ExitCode
from ragbed.guard import redacted
from ragbed_command import killed_after

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ragbed_command import RagbedCommand

SERVICES = ["postgres", "redis", "qdrant", "ollama"]
VARIABLES = ["DATABASE_URL", "REDIS_URL", "QDRANT_URL", "OLLAMA_HOST"]


def pids(command: RagbedCommand) -> dict[str, int]:
    """Return the processes of the stack that is up, by service."""
    return {one["name"]: one["pid"] for one in command.json("status")["services"]}


def runs(pid: int) -> bool:
    """Tell whether a process runs; one that has ended and was not waited for does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def put(command: RagbedCommand, key: str, value: str) -> None:
    """Write a key to the stack's Redis."""
    with redis_client.Redis.from_url(command.urls()["REDIS_URL"]) as client:
        client.set(key, value)


def got(command: RagbedCommand, key: str) -> str | None:
    """Read a key from the stack's Redis."""
    with redis_client.Redis.from_url(command.urls()["REDIS_URL"], decode_responses=True) as client:
        value: str | None = client.get(key)
        return value


def is_empty(command: RagbedCommand) -> bool:
    """Tell whether no lease and no data of a stack is left."""
    return not [*(command.state / "leases").iterdir(), *(command.state / "data").iterdir()]


def test_status_shows_every_service_ready(ragbed_up: RagbedCommand) -> None:
    """A row per service, its state, and what it really is."""
    done = ragbed_up.run("status")

    assert done.returncode == 0
    assert [line.split("\t")[:2] for line in done.stdout.splitlines() if "\tready\t" in line] == [
        [name, "ready"] for name in SERVICES
    ]


def test_status_as_json_is_one_document(ragbed_up: RagbedCommand) -> None:
    """The document says who answers, by what launcher, and whether it is real."""
    shown = ragbed_up.json("status")

    assert (shown["up"], shown["detached"], shown["keep"]) == (True, True, False)
    assert [(one["name"], one["launcher"], one["real"]) for one in shown["services"]] == [
        ("postgres", "process", True),
        ("redis", "process", True),
        ("qdrant", "process", shown["services"][2]["product"] == "qdrant"),  # a real one may be on PATH
        ("ollama", "process", False),
    ]


def test_a_second_up_says_that_it_is_up(ragbed_up: RagbedCommand) -> None:
    """Nothing is started again."""
    before = pids(ragbed_up)

    done = ragbed_up.run("up", "-d")

    assert done.returncode == 0
    assert "the stack was up already" in done.stderr
    assert pids(ragbed_up) == before


def test_env_gives_addresses_that_work(ragbed_up: RagbedCommand) -> None:
    """The exported address of Postgres takes a connection."""
    script = 'eval "$("$0" -m ragbed env)" && "$0" -c "import os; print(os.environ[\'DATABASE_URL\'])"'
    done = subprocess.run(
        ["sh", "-c", script, sys.executable],
        capture_output=True,
        text=True,
        check=True,
        env=ragbed_up.variables(),
        cwd=ragbed_up.folder,
    )

    with psycopg.connect(done.stdout.strip()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize(
    ("form", "start"), [("sh", "export {}="), ("fish", "set -gx {} '"), ("dotenv", "{}=")]
)
def test_env_names_every_service_in_each_form(form: str, start: str, ragbed_up: RagbedCommand) -> None:
    """A line per service, in the reader's form."""
    lines = ragbed_up.run("env", "--format", form).stdout.splitlines()

    assert [line.startswith(start.format(name)) for line, name in zip(lines, VARIABLES, strict=True)] == [
        True
    ] * 4


def test_a_shell_with_the_stacks_addresses_uses_that_stack(ragbed_up: RagbedCommand) -> None:
    """After `eval "$(ragbed env)"` a smoke run is on the same servers."""
    urls = ragbed_up.urls()

    report = ragbed_up.json("smoke", "--stage", "stack", **urls)

    assert report["ok"], report
    assert {one["url"] for one in report["services"]} == {redacted(url) for url in urls.values()}


def test_logs_show_what_a_service_wrote(ragbed_up: RagbedCommand) -> None:
    """Each line bears its service's name."""
    done = ragbed_up.run("logs", "postgres")

    assert done.returncode == 0
    assert all(line.startswith("postgres ") for line in done.stdout.splitlines())
    assert "database system is ready" in done.stdout


def test_logs_are_those_of_the_stack_that_is_up(ragbed_up: RagbedCommand) -> None:
    """Another run's newer logs do not get in between."""
    newer = ragbed_up.state / "logs" / "ffffffff"
    newer.mkdir(exist_ok=True)
    (newer / "redis.log").write_text("another run\n", encoding="utf-8")

    assert "another run" not in ragbed_up.run("logs", "redis").stdout


def test_logs_follow_until_interrupted(ragbed_up: RagbedCommand) -> None:
    """New lines come as they are written; Ctrl-C ends it with 130."""
    log = ragbed_up.state / "logs" / ragbed_up.json("status")["stack"] / "ollama.log"
    with ragbed_up.popen("logs", "-f", "-n", "1", "ollama") as process, killed_after(process, 60):
        assert process.stdout is not None
        # Written until it is seen: the follower may still be starting.
        seen = ""
        while "a new line" not in seen:
            with log.open("a", encoding="utf-8") as file:
                file.write("a new line\n")
            seen = process.stdout.readline()
            assert seen, "the follower has ended"
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)

    assert process.returncode == ExitCode.INTERRUPTED


def test_logs_follow_from_where_the_tail_ended(ragbed_up: RagbedCommand) -> None:
    """A line whose end is written later is shown once, and whole; none between tail and following is lost."""
    log = ragbed_up.state / "logs" / ragbed_up.json("status")["stack"] / "redis.log"
    with log.open("a", encoding="utf-8") as file:
        file.write("the last line\nhalf a ")
    with ragbed_up.popen("logs", "-f", "-n", "1", "redis") as process, killed_after(process, 60):
        assert process.stdout is not None
        seen = [process.stdout.readline()]
        with log.open("a", encoding="utf-8") as file:
            file.write("line\n")
        seen.append(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)

    assert [line.split(maxsplit=1)[1] for line in seen] == ["the last line\n", "half a line\n"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["status"], ExitCode.SERVICE_MISSING),
        (["env"], ExitCode.SERVICE_MISSING),
        (["logs"], ExitCode.SERVICE_MISSING),
        (["down"], ExitCode.FINE),
        (["reset", "--yes"], ExitCode.FINE),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_where_nothing_is_up_each_command_says_so(
    words: list[str], code: ExitCode, ragbed: RagbedCommand
) -> None:
    """Commands that need a stack exit 10 and name the one that starts it; those that end it are content."""
    done = ragbed.run(*words)

    assert done.returncode == code
    assert "Traceback" not in done.stderr
    if code:
        assert "ragbed up -d" in done.stdout + done.stderr


def test_status_as_json_where_nothing_is_up(ragbed: RagbedCommand) -> None:
    """One document all the same."""
    project = ragbed.json("status")["project"]
    assert ragbed.json("status") == {"up": False, "project": project, "services": []}


def test_going_down_stops_everything_and_removes_the_data(ragbed: RagbedCommand) -> None:
    """Processes, data and leases go; the caches stay."""
    ragbed.run("up", "-d")
    running = pids(ragbed)

    done = ragbed.run("down")

    assert done.stdout.startswith("Stopped: ")
    assert [name for name, pid in running.items() if runs(pid)] == []
    assert is_empty(ragbed)
    assert list((ragbed.state / "cache").iterdir())


def test_kept_data_is_found_again(ragbed: RagbedCommand) -> None:
    """Up --keep, down, up --keep: what was written is there; without --keep it is not touched."""
    ragbed.run("up", "-d", "--keep")
    put(ragbed, "order", "kept")
    ragbed.run("down")

    ragbed.run("up", "-d")
    without = got(ragbed, "order")
    ragbed.run("down")
    ragbed.run("up", "-d", "--keep")

    assert (without, got(ragbed, "order")) == (None, "kept")


def test_data_can_be_kept_when_going_down(ragbed: RagbedCommand) -> None:
    """Down --keep keeps the data of a stack that was not started with --keep."""
    ragbed.run("up", "-d")
    put(ragbed, "order", "kept")

    ragbed.run("down", "--keep")
    ragbed.run("up", "-d", "--keep")

    assert got(ragbed, "order") == "kept"


def test_kept_data_is_not_overwritten(ragbed: RagbedCommand) -> None:
    """Where kept data is there already, down --keep refuses and the stack stays up."""
    ragbed.run("up", "-d", "--keep")
    ragbed.run("down")
    ragbed.run("up", "-d")

    done = ragbed.run("down", "--keep")

    assert done.returncode == ExitCode.USAGE
    assert "there is kept data already" in done.stderr
    assert ragbed.run("status").returncode == 0


def test_reset_deletes_data_only_after_a_yes(ragbed: RagbedCommand) -> None:
    """Without a terminal to ask on, it needs --yes; with it, stack and data go."""
    ragbed.run("up", "-d", "--keep")

    refused = ragbed.run("reset", answer="n\n")
    assert (refused.returncode, (ragbed.state / "kept").exists()) == (ExitCode.USAGE, True)
    assert refused.stderr.endswith("try: ragbed reset --yes\n")
    done = ragbed.run("reset", "--yes")

    assert (done.returncode, (ragbed.state / "kept").exists()) == (0, False)
    assert ragbed.run("status").returncode == ExitCode.SERVICE_MISSING


def test_a_killed_service_is_told_and_started_again_on_its_data(ragbed: RagbedCommand) -> None:
    """Status names it dead; up -d brings it back at its address with what it had acknowledged."""
    ragbed.run("up", "-d")
    put(ragbed, "order", "1")
    before = pids(ragbed)
    os.kill(before["redis"], signal.SIGKILL)

    states = {one["name"]: one["state"] for one in ragbed.json("status")["services"]}
    mended = ragbed.run("up", "-d")

    assert (states.pop("redis"), set(states.values()), mended.returncode) == ("dead", {"ready"}, 0)
    assert got(ragbed, "order") == "1"
    assert {name for name, pid in pids(ragbed).items() if pid != before[name]} == {"redis"}


def test_two_starts_at_once_give_one_stack(ragbed: RagbedCommand) -> None:
    """The second waits for the first and finds its stack."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        first, second = pool.map(lambda _: ragbed.run("up", "-d", "--json"), range(2))

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    stacks = {json.loads(done.stdout)["stack"] for done in (first, second)}
    assert len(stacks) == 1
    assert len(list((ragbed.state / "leases").iterdir())) == len(SERVICES)


def test_two_checkouts_at_once_do_not_meet(make_ragbed: Callable[..., RagbedCommand]) -> None:
    """Two state folders have two stacks; one's end leaves the other alone."""
    one, other = make_ragbed(), make_ragbed()
    with ThreadPoolExecutor(max_workers=2) as pool:
        list(pool.map(lambda command: command.run("up", "-d"), (one, other)))
    put(one, "who", "one")

    assert set(one.urls().values()).isdisjoint(other.urls().values())
    assert got(other, "who") is None
    one.run("down", "--all")
    assert other.run("status").returncode == 0


def lines_until(process: subprocess.Popen[str], said: str) -> list[str]:
    """Read lines up to one that contains a text; the end of the output is a failure."""
    lines: list[str] = []
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line)
        if said in line:
            return lines
    pytest.fail(f"{said!r} did not come in: {''.join(lines)}")


@pytest.fixture
def foreground(ragbed: RagbedCommand) -> Iterator[subprocess.Popen[str]]:
    """A `ragbed up` in the foreground, once it is up."""
    with ragbed.popen("up") as process, killed_after(process, 120):
        try:
            lines_until(process, "Up. ")
            yield process
        finally:
            if process.poll() is None:
                process.kill()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_the_foreground_stops_everything_at_its_end(
    ending: signal.Signals, foreground: subprocess.Popen[str], ragbed: RagbedCommand
) -> None:
    """Ctrl-C or a polite kill takes the stack down and ends with 0."""
    running = pids(ragbed)

    foreground.send_signal(ending)
    said = "".join(lines_until(foreground, "the stack is down"))

    assert foreground.wait(20) == 0, said
    assert [name for name, pid in running.items() if runs(pid)] == []
    assert is_empty(ragbed)


def test_the_foreground_starts_a_killed_service_again(
    foreground: subprocess.Popen[str], ragbed: RagbedCommand
) -> None:
    """It says so, and the service is back at its address with its data."""
    put(ragbed, "order", "1")
    os.kill(pids(ragbed)["redis"], signal.SIGKILL)

    lines_until(foreground, "redis died")
    lines_until(foreground, "redis     valkey")

    assert got(ragbed, "order") == "1"
    foreground.terminate()


def test_another_terminal_can_end_the_foreground(
    foreground: subprocess.Popen[str], ragbed: RagbedCommand
) -> None:
    """`ragbed down` stops the stack of another terminal and says what it stopped."""
    done = ragbed.run("down")

    assert sorted(done.stdout.removeprefix("Stopped: ").strip(".\n").split(", ")) == sorted(SERVICES)
    assert foreground.wait(20) == 0


def test_data_of_a_foreground_stack_can_be_kept(
    foreground: subprocess.Popen[str], ragbed: RagbedCommand
) -> None:
    """Down --keep from another terminal keeps the data too."""
    put(ragbed, "order", "kept")

    ragbed.run("down", "--keep")
    foreground.wait(20)
    ragbed.run("up", "-d", "--keep")

    assert got(ragbed, "order") == "kept"


@pytest.mark.parametrize("words", [("status",), ("env",), ("up", "-d"), ("doctor",)], ids=" ".join)
def test_a_wrong_key_is_told_with_a_stack_up(words: tuple[str, ...], ragbed_up: RagbedCommand) -> None:
    """The stack that runs does not hide that a file is wrong."""
    file = ragbed_up.folder / "ragbed.toml"
    file.write_text('[llm]\nprovidr = "mock"\n', encoding="utf-8")
    try:
        done = ragbed_up.run(*words)
    finally:
        file.unlink()

    assert done.returncode == ExitCode.USAGE
    assert "llm.providr" in done.stdout + done.stderr
