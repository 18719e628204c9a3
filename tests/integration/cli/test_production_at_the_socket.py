"""With APP_ENV=production every command that writes is refused before any connection; reading still works."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from ragbed.errors import ExitCode
from ragbed_command import RagbedCommand

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


WRITING = [
    ["up"],
    ["up", "-d"],
    ["up", "-d", "--keep"],
    ["smoke"],
    ["smoke", "--stage", "stack"],
    ["migrate"],
    ["ingest", "."],
    ["ask", "Why?"],
    ["gaps"],
    ["reset", "--yes"],
]
# Notes every connection that this process tries, before it is tried.
AUDITED = """
import sys
noted = open(sys.argv[1], "a", buffering=1)
def note(event, args):
    if event in {"socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.posix_spawn"}:
        noted.write(f"{event} {args[1:]}\\n")
sys.addaudithook(note)
from ragbed.cli import main
main(sys.argv[2:])
"""


@dataclass(frozen=True, slots=True)
class Store:
    """A listener that would notice a connection."""

    listener: socket.socket

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.listener.getsockname()[1]}"

    def was_asked(self) -> bool:
        """Tell whether anybody has connected."""
        try:
            connection, _ = self.listener.accept()
        except BlockingIOError:
            return False
        connection.close()
        return True


@pytest.fixture
def stores() -> Iterator[dict[str, Store]]:
    """A listener for each variable that may carry an address."""
    with ExitStack() as stack:
        found = {}
        for variable in ("DATABASE_URL", "REDIS_URL", "QDRANT_URL", "OLLAMA_HOST"):
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            listener.setblocking(False)
            found[variable] = Store(listener)
        yield found


@pytest.fixture(scope="module")
def cold(tmp_path_factory: pytest.TempPathFactory) -> RagbedCommand:
    """A command line that never has a stack."""
    folder = tmp_path_factory.mktemp("cold")
    return RagbedCommand(state=folder / "state", folder=folder)


def addresses(stores: dict[str, Store]) -> dict[str, str]:
    """Return the variables that name the listeners."""
    schemes = {
        "DATABASE_URL": "postgresql",
        "REDIS_URL": "redis",
        "QDRANT_URL": "http",
        "OLLAMA_HOST": "http",
    }
    return {name: f"{schemes[name]}://{store.address}" for name, store in stores.items()}


def audited(command: RagbedCommand, words: list[str], log: Path, **environ: str) -> tuple[int, str, str]:
    """Run a command; return its exit code, its stderr, and what it tried to reach or to start."""
    log.touch()
    done = subprocess.run(
        [sys.executable, "-c", AUDITED, str(log), *words],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=60,
        cwd=command.folder,
        env=command.variables(**environ),
    )
    return done.returncode, done.stderr, log.read_text(encoding="utf-8")


@pytest.mark.parametrize("words", WRITING, ids=" ".join)
def test_a_writing_command_is_refused_without_a_connection(
    words: list[str], cold: RagbedCommand, stores: dict[str, Store], tmp_path: Path
) -> None:
    """In tier production it exits 13, reaches for nobody, starts nothing and says what still works."""
    environ = {"APP_ENV": "production", **addresses(stores)}

    code, stderr, tried = audited(cold, words, tmp_path / "log", **environ)

    assert (code, tried, [name for name, store in stores.items() if store.was_asked()]) == (
        ExitCode.REFUSED,
        "",
        [],
    )
    assert "APP_ENV is production" in stderr
    assert "try: set APP_ENV to local, ci or staging" in stderr


@pytest.mark.parametrize("variable", ["DATABASE_URL", "REDIS_URL", "QDRANT_URL"])
def test_adopting_is_refused_without_a_connection(
    variable: str, cold: RagbedCommand, stores: dict[str, Store], tmp_path: Path
) -> None:
    """Nothing is adopted in tier production."""
    words = ["adopt", addresses(stores)[variable], "--yes"]

    code, _, tried = audited(cold, words, tmp_path / "log", APP_ENV="production")

    assert (code, tried, stores[variable].was_asked()) == (ExitCode.REFUSED, "", False)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        pytest.param("DATABASE_URL", "postgresql://{}/prod", id="database"),
        pytest.param("REDIS_URL", "redis://live:x@{}/0", id="user"),
        pytest.param("QDRANT_URL", "http://qdrant.prod.localhost:{}", id="host"),
        pytest.param("OPENAI_API_KEY", "sk_live_x", id="key"),
        pytest.param("DATABASE_URL", "postgresql://db.example.com/app", id="another-machine"),
    ],
)
def test_a_name_of_production_is_refused_without_a_connection(
    cold: RagbedCommand, stores: dict[str, Store], tmp_path: Path, *, variable: str, value: str
) -> None:
    """In tier local too, names alone are enough: no name is looked up, nobody is reached."""
    address = stores[variable].address if variable in stores else ""
    value = value.format(address.rpartition(":")[2] if "localhost" in value else address)

    code, stderr, tried = audited(cold, ["up", "-d"], tmp_path / "log", **{variable: value})

    assert (code, tried) == (ExitCode.REFUSED, "")
    assert variable in stderr


def test_the_hook_would_have_noticed(cold: RagbedCommand, stores: dict[str, Store], tmp_path: Path) -> None:
    """The same kind of command in tier local is seen to connect, so that silence above means something."""
    url = addresses(stores)["QDRANT_URL"]
    stores["QDRANT_URL"].listener.close()

    _, _, tried = audited(cold, ["adopt", url, "--yes"], tmp_path / "log")

    assert "socket.connect" in tried


def test_reading_commands_work_in_production(ragbed_up: RagbedCommand) -> None:
    """Status, pins, config explain, logs and env answer as ever."""
    commands = [["status"], ["pins"], ["config", "explain"], ["logs"], ["env"]]

    codes = {" ".join(words): ragbed_up.run(*words, APP_ENV="production").returncode for words in commands}

    assert codes == dict.fromkeys(codes, 0)


def test_status_in_production_says_what_is_up(ragbed_up: RagbedCommand) -> None:
    """The JSON is the same as in any other tier."""
    done = ragbed_up.run("status", "--json", APP_ENV="production")

    assert {service["state"] for service in json.loads(done.stdout)["services"]} == {"ready"}
