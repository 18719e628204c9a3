"""No command connects to an address that a checkout brought along before guard and marker have let it pass."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click
import pytest

from ragbed.cli import COMMANDS, ragbed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERVICES = {
    "postgres": ("postgresql://prod:p@127.0.0.1:{}/x", "postgresql://u:p@127.0.0.1:{}/x", "postgres", "18.6"),
    "redis": ("redis://prod:p@127.0.0.1:{}/0", "redis://127.0.0.1:{}/0", "valkey", "9.1.2"),
    "qdrant": ("http://127.0.0.1:{}/prod", "http://127.0.0.1:{}", "qdrant", "1.19.1"),
    "ollama": ("http://127.0.0.1:{}/prod", "http://127.0.0.1:{}", "ollama", "0.24.0"),
}
WRITING = {
    "up": ["up", "-d"],
    "reset": ["reset", "--yes"],
    "smoke": ["smoke"],
    "migrate": ["migrate"],
    "ingest": ["ingest", "."],
    "ask": ["ask", "Why?"],
    "gaps": ["gaps"],
    "serve": ["serve", "--port", "0"],
    "adopt": ["adopt", "http://127.0.0.1:1/prod", "--yes"],
    "parity": ["parity"],
    "repro": ["repro", "last"],
    "store census": ["store", "census"],
    "store reset": ["store", "reset"],
    "store snapshot": ["store", "snapshot", "one"],
    "store restore": ["store", "restore", "one"],
}
READING = {
    "status": ["status", "--json"],
    "env": ["env"],
    "doctor": ["doctor"],
    "logs": ["logs"],
    "down": ["down"],
    "models verify": ["models", "verify"],
    "models fingerprint": ["models", "fingerprint"],
}
WITHOUT_ADDRESSES = {
    *("init", "pins", "compose", "config explain", "qdrant serve", "qdrant quarantine", "llm serve"),
    *("runs list", "runs show", "runs bundle", "store list", "store remove"),
    *(
        "models list",
        "models fetch",
        "models store",
        "models lock",
        "models prune",
        "models why",
        "models show",
    ),
}
"""Servers of ours, and commands on files. `models fetch` and `lock` ask the registries of the model lock."""

# Runs command after command in one process, and notes the code, the output and each connection tried.
AUDITED = """
import contextlib, io, json, sys
tried = []
sys.addaudithook(lambda event, args: tried.append(str(args[1:])) if event == "socket.connect" else None)
from ragbed.cli import main
told = {}
for name, words in json.loads(sys.argv[1]).items():
    tried.clear()
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")  # streams of a process lie over bytes
    code = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        try:
            main(words)
        except SystemExit as end:
            code = end.code
    told[name] = [int(code or 0), out.buffer.getvalue().decode(), list(tried)]
print(json.dumps(told))
"""


@pytest.fixture
def listeners() -> Iterator[dict[str, socket.socket]]:
    """A listener for each service, which would notice a connection of any library."""
    with ExitStack() as stack:
        found = {name: stack.enter_context(socket.create_server(("127.0.0.1", 0))) for name in SERVICES}
        for listener in found.values():
            listener.setblocking(False)
        yield found


def port_of(listener: socket.socket) -> int:
    """Return where a listener listens."""
    port: int = listener.getsockname()[1]
    return port


def was_asked(listener: socket.socket) -> bool:
    """Tell whether anything has connected."""
    try:
        connection, _ = listener.accept()
    except BlockingIOError:
        return False
    connection.close()
    return True


def run(folder: Path, commands: dict[str, list[str]]) -> dict[str, tuple[int, str, list[str]]]:
    """Run commands in a checkout; return the code, the output and the connections tried, by command."""
    environ = {key: value for key, value in os.environ.items() if key != "RAGBED_STATE_DIR"}
    done = subprocess.run(
        [sys.executable, "-c", AUDITED, json.dumps(commands)],
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
        timeout=200,
        cwd=folder,
        env={**environ, "RAGBED_STACK__DEFAULT_PORTS": "false", "HOME": str(folder)},
    )
    return {name: (code, out, tried) for name, (code, out, tried) in json.loads(done.stdout).items()}


def leaves() -> set[str]:
    """Return every command of the command line."""
    with click.Context(ragbed) as context:
        found = {}
        for name in COMMANDS:
            command = ragbed.get_command(context, name)
            below = command.commands if isinstance(command, click.Group) else {"": command}
            found |= {f"{name} {word}".strip(): one for word, one in below.items()}
    return set(found)


def test_every_command_is_thought_of() -> None:
    """A new command either works without addresses or is tried below."""
    assert leaves() == {*WRITING, *READING, *WITHOUT_ADDRESSES}


def test_no_command_connects_where_a_projects_file_leads(
    tmp_path: Path, listeners: dict[str, socket.socket]
) -> None:
    """Addresses in `ragbed.toml` are judged like any: production is refused before a connection."""
    (tmp_path / ".git").mkdir()
    lines = [
        f'[{name}]\nurl = "{form[0].format(port_of(listeners[name]))}"\n' for name, form in SERVICES.items()
    ]
    (tmp_path / "ragbed.toml").write_text("".join(lines), encoding="utf-8")

    told = run(tmp_path, {**WRITING, **READING})

    assert [name for name, listener in listeners.items() if was_asked(listener)] == []
    assert {name: tried for name, (_, _, tried) in told.items() if tried} == {}
    assert {name: told[name][0] for name in WRITING} == dict.fromkeys(WRITING, 13)
    assert [name for name in SERVICES if str(port_of(listeners[name])) in told["env"][1]] == []


def test_no_command_connects_where_a_brought_state_folder_leads(
    tmp_path: Path, listeners: dict[str, socket.socket]
) -> None:
    """`stack.json` and `announced.json` of a stranger are neither asked, nor written to, nor exported."""
    (tmp_path / ".git").mkdir()
    (state := tmp_path / ".ragbed").mkdir()
    urls = {name: form[1].format(port_of(listeners[name])) for name, form in SERVICES.items()}
    endpoints = [
        {
            "service": name,
            "url": urls[name],
            "launcher": "attach",
            "product": product,
            "version": version,
            "real": True,
            "provenance": {"channel": "external", "named_by": "found by DATABASE_URL"},
            "pid": None,
            "started_at": None,
        }
        for name, (_, _, product, version) in SERVICES.items()
    ]
    record = {"schema": 2, "stack": "0a1b2c3d", "owner": None, "keep": True, "leases": {}, "notes": []}
    record |= {"llm": "mock", "endpoints": endpoints}
    (state / "stack.json").write_text(json.dumps(record), encoding="utf-8")
    said = {name: {"url": url, "started_by": "devenv"} for name, url in urls.items()}
    (state / "announced.json").write_text(json.dumps({"schema": 1, "services": said}), encoding="utf-8")
    refused = {name: WRITING[name] for name in ("ingest", "ask", "gaps", "migrate", "serve")}
    refused["env"] = READING["env"]

    told = run(tmp_path, {**refused, **READING, "reset": WRITING["reset"]})

    assert [name for name, listener in listeners.items() if was_asked(listener)] == []
    assert {name: tried for name, (_, _, tried) in told.items() if tried} == {}
    assert {name: told[name][0] for name in refused} == dict.fromkeys(refused, 13)
    assert "ragbed up -d sets it aside" in told["ingest"][1]
    assert [name for name, (_, out, _) in told.items() if str(port_of(listeners["redis"])) in out] == []
