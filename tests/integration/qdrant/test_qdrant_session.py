"""A server for as long as a `with` lasts, and the fixture made of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest

from ragbed.errors import ServiceNotReady, UsageError
from ragbed.qdrant import running
from ragbed.qdrant.session import clear, has_room, is_left

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOT = {"vectors": {"size": 2, "distance": "Dot"}}
SERVE_AND_TELL = """
import sys
from ragbed.qdrant import running
with running() as url:
    print(url, flush=True)
    sys.stdin.read()
"""


def children() -> list[int]:
    """Return this process's children."""
    return [child.pid for child in psutil.Process().children()]


def test_server_answers_inside_and_is_gone_outside() -> None:
    """Its process and its address."""
    before = children()
    with running() as url:
        assert httpx.get(f"{url}/readyz").status_code == 200

    assert children() == before
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/readyz")


def test_given_folder_is_kept(tmp_path: Path) -> None:
    """What was written there is there the next time."""
    with running(tmp_path / "data") as url:
        httpx.put(f"{url}/collections/kept", json=DOT).raise_for_status()

    with running(tmp_path / "data") as url:
        assert httpx.get(f"{url}/collections/kept/exists").json()["result"] == {"exists": True}


def test_start_use_and_stop_leak_nothing() -> None:
    """Neither threads nor files nor processes, whatever the number of times."""

    def use() -> None:
        with running() as url:
            httpx.put(f"{url}/collections/c", json=DOT).raise_for_status()

    use()
    process = psutil.Process()
    before = (threading.active_count(), process.num_fds(), children())
    for _ in range(5):
        use()

    assert (threading.active_count(), process.num_fds(), children()) == before


def test_failing_block_stops_the_server_too() -> None:
    """And the error comes through."""
    before = children()
    with pytest.raises(ZeroDivisionError), running():
        raise ZeroDivisionError

    assert children() == before


def test_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    """With what it wrote."""
    told = pytest.raises(ServiceNotReady, match="in use by another server")
    with running(tmp_path / "data"), told, running(tmp_path / "data"):
        pass


def test_server_ends_with_who_started_it() -> None:
    """Even when that is killed."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVE_AND_TELL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout is not None
        url = starter.stdout.readline().strip()
        (server,) = psutil.Process(starter.pid).children()
        os.kill(starter.pid, signal.SIGKILL)

        assert url.startswith("http://127.0.0.1:")
        psutil.wait_procs([server], timeout=10)
        assert not server.is_running()


@pytest.mark.parametrize(("age_s", "left"), [(0, False), (3600, True)], ids=["new", "old"])
def test_folder_of_a_killed_session_is_left_once_it_is_old(
    tmp_path: Path, age_s: float, *, left: bool
) -> None:
    """A new one may belong to a session that is just starting."""
    then = time.time() - age_s
    os.utime(tmp_path, (then, then))

    assert is_left(tmp_path) is left


def test_memory_that_is_not_there_has_no_room(tmp_path: Path) -> None:
    """The folder for temporary files is taken then."""
    assert not has_room(tmp_path / "nowhere")


def test_folder_in_use_is_not_left(tmp_path: Path) -> None:
    """However old it is."""
    with running(tmp_path / "data"):
        os.utime(tmp_path / "data", (1, 1))

        assert not is_left(tmp_path / "data")


def test_fixture_begins_without_collections(ragbed_qdrant: str) -> None:
    """This test leaves one behind, and so does its twin."""
    assert httpx.get(f"{ragbed_qdrant}/collections").json()["result"]["collections"] == []
    httpx.put(f"{ragbed_qdrant}/collections/a b", json=DOT).raise_for_status()


def test_fixture_begins_without_collections_again(ragbed_qdrant: str) -> None:
    """Whichever of the two comes first."""
    test_fixture_begins_without_collections(ragbed_qdrant)


@pytest.fixture
def other_server() -> Iterator[str]:
    """Something that answers, and is not an embedded Qdrant."""
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"result": {"collections": [{"name": "precious"}]}}')

        def log_message(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Other) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_real_server_is_not_cleared(other_server: str) -> None:
    """Only what says that it is embedded."""
    with pytest.raises(UsageError, match="not an embedded Qdrant"):
        clear(other_server)
