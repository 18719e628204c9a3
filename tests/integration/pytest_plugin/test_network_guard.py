"""Escapes of tests, as the network guard names them."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ragbed_command import RagbedCommand

ESCAPES = {
    "socket": "socket.create_connection(('192.0.2.7', 80), timeout=1)",
    "name": "socket.gethostbyname('example.invalid')",
    "datagram": "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.7', 53))",
    "urllib": "urllib.request.urlopen('http://example.invalid/', timeout=1)",
    "httpx": "httpx.get('http://192.0.2.7/', timeout=1, trust_env=False)",
    "asyncio": "asyncio.run(asyncio.wait_for(asyncio.open_connection('192.0.2.7', 80), 1))",
    "asyncio name": "asyncio.run(asyncio.wait_for(asyncio.open_connection('example.invalid', 80), 1))",
    "thread": "in_thread(lambda: socket.create_connection(('192.0.2.7', 80), timeout=1))",
    "redis": "redis.Redis(host='192.0.2.7', socket_connect_timeout=1).ping()",
    "python child": "child('import socket; socket.create_connection((\"192.0.2.7\", 80), timeout=1)')",
    "grandchild": 'child(\'import subprocess, sys; subprocess.run([sys.executable, "-c", "import socket;'
    " socket.gethostbyname(chr(97) + chr(46) + chr(98))\"])')",
}
PAID = {
    "paid name": "socket.getaddrinfo('api.openai.com', 443)",
    "paid address": "httpx.get('https://api.anthropic.com/v1/models', timeout=1, trust_env=False)",
}
HEAD = """
import asyncio, socket, subprocess, sys, threading, urllib.request
import httpx, pytest, redis

def child(code):
    subprocess.run([sys.executable, "-c", code], capture_output=True)

def in_thread(work):
    def run():
        try:
            work()
        except Exception:
            pass
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
"""
TEST = """
{marker}
def test_{number}():
    try:
        {code}
    except Exception:
        pass
"""


def session(ragbed: RagbedCommand, text: str, **environ: str) -> str:
    """Run pytest over a file in the command's project, and return what it prints."""
    (ragbed.folder / "test_own.py").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", ".", "test_own.py"],
        cwd=ragbed.folder,
        env=ragbed.variables(RAGBED_ROOT=str(ragbed.folder), **environ),
        check=False,
        capture_output=True,
        text=True,
    )
    return done.stdout + done.stderr


def escaping(codes: dict[str, str], marker: str) -> str:
    """Return a test per escape, which swallows whatever is raised."""
    parts = [
        TEST.format(marker=marker, number=number, code=code) for number, code in enumerate(codes.values())
    ]
    return HEAD + "".join(parts)


@pytest.fixture
def project(ragbed: RagbedCommand) -> RagbedCommand:
    """A project that uses ragbed."""
    (ragbed.folder / "ragbed.toml").touch()
    return ragbed


def test_every_escape_of_a_unit_test_fails_it(project: RagbedCommand) -> None:
    """Though the code under test swallows the error."""
    said = session(project, escaping({**ESCAPES, **PAID}, "@pytest.mark.unit"))

    assert f"{len(ESCAPES) + len(PAID)} failed" in said, said
    for number in range(len(ESCAPES)):
        assert f"FAILED test_own.py::test_{number} - Failed: a unit test stays on this machine" in said
    assert 'File "' in said  # the stack


def test_another_test_may_use_the_network_but_no_paid_api(project: RagbedCommand) -> None:
    """The guard of paid hosts holds in every test."""
    codes = {"name": "socket.getaddrinfo('localhost', 80)", **PAID}
    said = session(project, escaping(codes, ""))

    assert "2 failed, 1 passed" in said, said
    assert (
        "no test reaches a paid API, and this one went beyond: socket.getaddrinfo api.openai.com port 443"
        in said
    )


def test_the_folder_makes_a_unit_test(project: RagbedCommand) -> None:
    """Without a marker, a folder of that name does."""
    (project.folder / "unit").mkdir()
    (project.folder / "unit" / "test_here.py").write_text(
        "import socket, pytest\n\ndef test_a():\n    with pytest.raises(Exception, match='guard'):\n"
        "        socket.gethostbyname('example.invalid')\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", ".", "unit"],
        cwd=project.folder,
        env=project.variables(RAGBED_ROOT=str(project.folder)),
        check=False,
        capture_output=True,
        text=True,
    )

    assert "1 failed" in done.stdout
    assert "a unit test stays on this machine" in done.stdout


@pytest.mark.parametrize(
    ("has_file", "environ", "failed"),
    [
        (False, {}, False),
        (False, {"FAIL_ON_REAL_API_CALL": "true"}, True),
        (True, {"FAIL_ON_REAL_API_CALL": "false"}, False),
        (True, {"APP_ENV": "ci"}, True),
        (True, {"APP_ENV": "ci_eval"}, False),
    ],
    ids=["no project of ragbed's", "asked for", "switched off", "tier ci", "a tier that pays"],
)
def test_when_the_guard_is_on(
    has_file: bool, environ: dict[str, str], failed: bool, ragbed: RagbedCommand
) -> None:
    """By default in projects that use ragbed, in the tiers without paid providers."""
    if has_file:
        (ragbed.folder / "ragbed.toml").touch()
    said = session(ragbed, escaping({"paid": "socket.getaddrinfo('api.openai.com', 443)"}, ""), **environ)

    assert ("1 failed" in said) is failed, said
