"""What a person at the terminal, and a pipe, get to see."""

from __future__ import annotations

import os
import pty
import re
import struct
import subprocess
import sys
from fcntl import ioctl
from termios import TIOCSWINSZ
from typing import TYPE_CHECKING

import pytest

from ragbed.state import StateFolder

if TYPE_CHECKING:
    from pathlib import Path

    from ragbed_command import RagbedCommand

EVIL = "\x1b]52;c;aGk=\x07\x1b[2J\x9b1A\u202eevil"
"""Writes the clipboard, clears the screen, goes a line up, turns the direction of writing."""


def on_terminal(command: RagbedCommand, *words: str, columns: int) -> str:
    """Return what a command shows on a terminal of this width."""
    main, end = pty.openpty()
    ioctl(end, TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    variables = command.variables(TERM="xterm-256color")
    variables.pop("COLUMNS", None)
    with subprocess.Popen(
        [sys.executable, "-m", "ragbed", *words],
        **dict.fromkeys(("stdin", "stdout", "stderr"), end),
        cwd=command.folder,
        env=variables,
    ) as process:
        os.close(end)
        seen = b""
        while data := _read(main):
            seen += data
    os.close(main)
    assert process.returncode == 0, seen.decode()
    return seen.decode().replace("\r\n", "\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # the other end has gone
        return b""


def written(command: RagbedCommand, text: str) -> Path:
    """Write a log as a service would, of a stack that is down."""
    folder = StateFolder(command.state).prepared()
    log = folder.log("00000000", "redis")
    log.parent.mkdir(parents=True)
    log.write_text(text, encoding="utf-8")
    return log


@pytest.mark.parametrize("columns", [80, 200])
def test_a_services_address_is_whole_on_any_terminal(columns: int, ragbed_up: RagbedCommand) -> None:
    """At 80 columns in a block per service, wider in a table; no line is longer than the terminal."""
    shown = on_terminal(ragbed_up, "status", columns=columns)

    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    for one in ragbed_up.json("status")["services"]:
        assert sum(one["url"] in line for line in plain.splitlines()) == 1
    assert max(map(len, plain.splitlines())) <= columns
    assert ("\npostgres\n" in f"\n{plain}") is (columns == 80)


def test_pins_have_a_block_per_service_at_80_columns(ragbed: RagbedCommand) -> None:
    """Versions and names whole, to be copied."""
    shown = on_terminal(ragbed, "pins", columns=80)

    assert "\nqdrant\n" in shown
    assert "…" not in shown


def test_a_pipe_gets_cells_between_tabs(ragbed: RagbedCommand) -> None:
    """No padding, no line of dashes, no empty line first."""
    lines = ragbed.run("pins").stdout.splitlines()

    assert lines[0].split("\t")[:3] == ["service", "accepted", "port"]
    assert len({line.count("\t") for line in lines[:-1]}) == 1
    assert [line for line in lines if line != line.strip() or "  " in line] == []


def test_an_answer_that_was_streamed_is_shown_once(ragbed_up: RagbedCommand) -> None:
    """Piece by piece on a terminal, it is the text that a pipe gets whole."""
    lessons = ragbed_up.folder / "streamed"
    lessons.mkdir()
    (lessons / "cache.md").write_text(
        "# Cache\n\nThe cache keeps vectors for thirty days.\n", encoding="utf-8"
    )
    words = ("--namespace", "streamed")
    assert ragbed_up.run("ingest", str(lessons), *words).returncode == 0
    ask = ("ask", "How long does the cache keep vectors?", *words)

    whole = ragbed_up.json(*ask, "--json")["text"]

    assert on_terminal(ragbed_up, *ask, columns=200).count(whole) == 1


@pytest.mark.parametrize("words", [("logs",), ("ask", EVIL), ("pins", "--file", EVIL), (EVIL,)], ids=repr)
def test_no_control_character_is_shown(words: tuple[str, ...], ragbed: RagbedCommand) -> None:
    """Of a service's log, an argument, a file's name or a wrong command."""
    written(ragbed, f"{EVIL}\n")

    done = ragbed.run(*words)

    assert "evil" in done.stdout + done.stderr or words[0] == "ask"
    assert not set(done.stdout + done.stderr) & set("\x1b\x07\x9b\u202e")


def test_a_closed_output_is_named(ragbed: RagbedCommand) -> None:
    """One line, what to do, and exit code 2."""
    closing = (
        "import os, sys; os.close(1); os.execv(sys.executable, [sys.executable, '-m', 'ragbed', 'pins'])"
    )

    done = subprocess.run(
        [sys.executable, "-c", closing],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        cwd=ragbed.folder,
        env=ragbed.variables(),
    )

    assert done.stderr.splitlines()[0].startswith("ragbed: standard output is closed")
    assert (done.stderr.splitlines()[1][:5], done.returncode) == ("try: ", 2)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")  # noqa: PTH110
def test_a_full_output_is_named(ragbed: RagbedCommand) -> None:
    """Not the state folder, which has room."""
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = subprocess.run(
            [sys.executable, "-m", "ragbed", "pins"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env=ragbed.variables(),
        )

    assert done.stderr == "ragbed: standard output: No space left on device\n"
    assert done.returncode == 2


def test_a_folder_that_is_gone_is_named(ragbed: RagbedCommand) -> None:
    """The current one, not some file."""
    gone = ragbed.folder / "gone"
    gone.mkdir()
    variables = ragbed.variables()
    del variables["RAGBED_STATE_DIR"]

    done = subprocess.run(
        ["sh", "-c", f"rmdir {gone}; exec {sys.executable} -m ragbed status"],
        capture_output=True,
        text=True,
        check=False,
        cwd=gone,
        env=variables,
    )

    first, second = done.stderr.splitlines()
    assert first.startswith("ragbed: the current folder cannot be read: No such file or directory")
    assert (second, done.returncode) == ("try: cd to a folder that is there", 2)
