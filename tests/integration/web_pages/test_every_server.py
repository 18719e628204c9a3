"""Every command that listens refuses foreign web pages, in its own words; a new one is found here by its `--port`."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click
import pytest

import ragbed
from ragbed.cli import ragbed as command_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ragbed_command import RagbedCommand

PACKAGE = Path(ragbed.__file__).parent
NEEDS = {"ragbed.qdrant": ("--data", "data")}
"""Flags that a module cannot do without."""

FOREIGN = {"Host": "page.example", "Origin": "http://page.example", "Sec-Fetch-Site": "cross-site"}
"""What a browser says of a foreign page, each enough to be refused."""


def commands_with_a_port() -> list[tuple[str, ...]]:
    """Return the words of every command that takes `--port`, and of every module that does."""

    def below(command: click.Command, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                found = command.get_command(context, name)
                assert found is not None
                yield from below(found, (*words, name))
        elif any("--port" in parameter.opts for parameter in command.params):
            yield words

    mains = [path for path in PACKAGE.glob("*/__main__.py") if '"--port"' in path.read_text()]
    modules = [f"ragbed.{path.parent.name}" for path in sorted(mains)]
    return [*below(command_line, ("ragbed",)), *((name, *NEEDS.get(name, ())) for name in modules)]


COMMANDS = commands_with_a_port()


def test_the_servers_that_are_known_are_found() -> None:
    """So that the walk is seen to work."""
    known = {
        ("ragbed", "serve"),
        ("ragbed", "qdrant", "serve"),
        ("ragbed", "llm", "serve"),
        ("ragbed.gateway",),
    }

    assert known <= set(COMMANDS)


def test_one_module_alone_serves_http() -> None:
    """It puts the middleware before every application; another way to listen would pass it by."""
    ways = ("import uvicorn", "from uvicorn", "http.server", "socketserver", "start_server", "create_server")
    found = {
        path.name
        for path in PACKAGE.rglob("*.py")
        if any(way in path.read_text(encoding="utf-8") for way in ways)
    }

    assert found == {"asgi.py"}


@contextmanager
def serving(words: tuple[str, ...], command: RagbedCommand, names: str = "of-compose") -> Iterator[str]:
    """Start a server on a free port, to be called by some names too, and yield its URL."""
    module, *more = words
    process = subprocess.Popen(
        [sys.executable, "-m", module, *more, "--port", "0"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        cwd=command.folder,
        env={**command.variables(), "RAGBED_SERVE__ALLOWED_NAMES": names},
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[-1]
        finally:
            process.send_signal(signal.SIGTERM)


def ask(
    url: str, target: str = "/", method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of an answer; the target is sent as it is."""
    parts = urlsplit(url)
    lines = [f"{method} {target} HTTP/1.1", "Connection: close"]
    lines += [
        f"{name.replace('_', '-')}: {value}" for name, value in {"Host": parts.netloc, **headers}.items()
    ]
    with socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=30) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        with connection.makefile("rb") as stream:
            status = int(stream.readline().split()[1])
            found: dict[str, str] = {}
            while line := stream.readline().strip().decode():
                name, _, value = line.partition(": ")
                found[name.lower()] = value
            return status, found, stream.read()


def said(body: bytes) -> Any:
    """Return the words of an error, whatever its shape."""
    error = json.loads(body)
    return error["error"] if "error" in error else error["status"]["error"]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_listening_command_refuses_foreign_pages(words: tuple[str, ...], ragbed_up: RagbedCommand) -> None:
    """By each thing that a browser says of them; clients, allowed names and pages of this machine are let in."""
    page = "http://localhost:5173"
    with serving(words, ragbed_up) as url:
        mine, mine_headers, _ = ask(url)
        others = {name: ask(url, **{name: value}) for name, value in FOREIGN.items()}
        absolute = ask(url, "http://page.example/")[0]
        named = ask(url, Host="of-compose:1")[0]
        ours = ask(url, Origin=page)
        asked = {"Origin": page, "Access-Control-Request-Method": "POST"}
        preflight = ask(url, method="OPTIONS", **asked)
        simple = ask(url, method="POST", Origin=page, Content_Type="text/plain", Content_Length="2")

    assert mine < 500
    assert {name: answer[0] for name, answer in others.items()} == dict.fromkeys(FOREIGN, 403)
    assert "page.example" in said(others["Host"][2])
    header = "x-ragbed-substitute"
    assert others["Host"][1].get(header) == mine_headers.get(header)
    assert (absolute, named, ours[0]) == (403, mine, mine)
    assert ours[1]["access-control-allow-origin"] == page
    assert (preflight[0], preflight[1]["access-control-allow-origin"]) == (204, page)
    assert simple[0] == 415


def test_names_are_not_taken_from_a_project(ragbed: RagbedCommand) -> None:
    """A checkout may not open the servers of its user: its word is shown, does not count, and the way out is said."""
    (ragbed.folder / "ragbed.toml").write_text('[serve]\nallowed_names = "page.example"\n', encoding="utf-8")

    done = ragbed.run("config", "explain", "serve.allowed_names")

    assert (done.returncode, "RAGBED_SERVE__ALLOWED_NAMES" in done.stderr) == (0, True)
    assert "does not count" in done.stdout


def test_names_of_the_users_own_file_reach_the_server(ragbed: RagbedCommand) -> None:
    """Which it reads from the environment."""
    own = ragbed.folder / "ragbed.local.toml"
    own.write_text('[serve]\nallowed_names = "of-compose"\n', encoding="utf-8")
    own.chmod(0o600)

    with serving(("ragbed", "llm", "serve"), ragbed, names="") as url:
        assert [ask(url, Host=name)[0] for name in ("of-compose", "page.example")] == [200, 403]


def test_a_wrong_name_keeps_a_server_from_starting(ragbed: RagbedCommand) -> None:
    """With the exit code of a wrong setting."""
    done = ragbed.run("llm", "serve", RAGBED_SERVE__ALLOWED_NAMES="*")

    assert (done.returncode, "not a host name" in done.stderr) == (2, True)
