"""Leaks of tests, planted, as the check names them."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ragbed_command import RagbedCommand

HEAD = """
import asyncio, http.server, os, pathlib, socket, subprocess, sys, tempfile, threading, time
import httpx, psycopg, pytest, redis
KEPT = []
"""
SQL = "psycopg.connect(ragbed_stack['postgres'].url, autocommit=True).execute('{}').connection.close()"
QDRANT = "ragbed_stack['qdrant'].url + '/collections/mine', json={'vectors': {'size': 1, 'distance': 'Dot'}}"
PLANTED = {
    "thread": (
        "",
        "threading.Thread(target=time.sleep, args=(3,), name='forgotten', daemon=True).start()",
        "thread forgotten",
    ),
    "timer": ("", "timer = threading.Timer(3, print); timer.daemon = True; timer.start()", "thread Thread-"),
    "child": ("", "KEPT.append(subprocess.Popen(['sleep', '3']))", "child process"),
    "socket": ("", "KEPT.append(socket.socket())", "open socket:"),
    "listener": ("", "KEPT.append(http.server.HTTPServer(('127.0.0.1', 0), None))", "open socket:"),
    "file": ("", "pathlib.Path('left.txt').write_text('x')", "file left.txt"),
    "folder": ("", "pathlib.Path('left').mkdir()", "file left"),
    "row": (
        "ragbed_stack",
        SQL.format("INSERT INTO shared VALUES (1)"),
        "in the shared postgres: public.shared: 0 -> 1",
    ),
    "table": (
        "ragbed_stack",
        SQL.format("CREATE TABLE mine (n int)"),
        "in the shared postgres: + public.mine (0)",
    ),
    "key": (
        "ragbed_environ",
        "client = redis.Redis.from_url(os.environ['REDIS_URL']); client.set('mine', 1); client.close()",
        "in the shared redis: + mine (1)",
    ),
    "collection": ("ragbed_stack", f"httpx.put({QDRANT})", "in the shared qdrant: + mine (0)"),
}
CLEAN = """
@pytest.fixture
def helper():
    thread_may_end = threading.Event()
    thread = threading.Thread(target=thread_may_end.wait)
    thread.start()
    yield
    thread_may_end.set()
    thread.join()

@pytest.fixture(scope="session")
def server():
    listener = socket.socket()
    yield listener
    listener.close()

def test_clean(helper, server, tmp_path, monkeypatch, ragbed_stack):
    (tmp_path / "x").touch()
    subprocess.run(["true"])
    asyncio.run(asyncio.sleep(0))
    with psycopg.connect(ragbed_stack["postgres"].url) as connection:
        connection.execute("SELECT 1")

def test_clean_by_its_fixture(request):
    thread = threading.Thread(target=time.sleep, args=(0.2,))
    request.addfinalizer(thread.join)
    thread.start()
"""


def session(command: RagbedCommand, text: str, answer: str) -> str:
    """Run pytest over a file in the command's project, and return what it prints."""
    (command.folder / "ragbed.toml").touch()
    (command.folder / "test_own.py").write_text(text, encoding="utf-8")
    words = ("-q", "-p", "no:cacheprovider", "--rootdir", ".", f"--ragbed-leaks={answer}", "test_own.py")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words],
        cwd=command.folder,
        env=command.variables(RAGBED_ROOT=str(command.folder)),
        check=False,
        capture_output=True,
        text=True,
    )
    return done.stdout + done.stderr


def planted() -> str:
    """Return a test per leak, behind one that makes the shared table."""
    first = (
        "def test_first(ragbed_stack):\n"
        "    with psycopg.connect(ragbed_stack['postgres'].url) as c:\n"
        "        c.execute('CREATE TABLE IF NOT EXISTS shared (n int)')\n"
    )
    tests = [f"def test_{name}({fixtures}):\n    {code}\n" for name, (fixtures, code, _) in PLANTED.items()]
    return "\n\n".join([HEAD, first, *tests])


def test_every_planted_leak_fails_its_test(ragbed: RagbedCommand) -> None:
    """And is named."""
    said = session(ragbed, planted(), "fail")

    for name, (_, _, told) in PLANTED.items():
        assert re.search(rf"test_{name} left behind: .*{re.escape(told)}", said), (name, said)
    assert f"{len(PLANTED) + 1} errors" in said  # the first test makes the table that the others share


def test_warned_tests_pass(ragbed: RagbedCommand) -> None:
    """A warning each, and the run's events have them."""
    said = session(ragbed, planted(), "warn")

    assert f"{len(PLANTED) + 1} passed" in said, said
    assert "LeakWarning: test_own.py::test_thread left behind: thread forgotten" in said
    events = [path.read_text(encoding="utf-8") for path in (ragbed.state / "runs").glob("*/events.jsonl")]
    assert '"store.leak"' in "".join(events)


@pytest.mark.parametrize("answer", ["fail", "off"])
def test_a_clean_test_leaves_nothing(answer: str, ragbed: RagbedCommand) -> None:
    """What fixtures end, and what a session's fixtures keep, is not the test's; off says nothing at all."""
    said = session(ragbed, HEAD + CLEAN if answer == "fail" else planted(), answer)

    assert "left behind" not in said
    assert " passed" in said
    assert "failed" not in said
    assert "error" not in said.lower()
