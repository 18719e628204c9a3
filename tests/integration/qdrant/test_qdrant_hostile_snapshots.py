"""Snapshots from anywhere: bounded, checked, apart from all other calls, and fetched from this machine alone."""

from __future__ import annotations

import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from qdrant_client import models
from qdrant_server import serving, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from qdrant_client import QdrantClient

POINT = {"points": [{"id": 99, "vector": [1.0, 1.0]}]}


@pytest.fixture
def good(client: QdrantClient, http: httpx.Client, plain: str) -> bytes:
    """A snapshot of six points."""
    made = client.create_snapshot(plain)
    assert made is not None
    return http.get(f"/collections/{plain}/snapshots/{made.name}").content


def count(http: httpx.Client, name: str) -> int:
    """Return how many points there are."""
    return int(http.post(f"/collections/{name}/points/count", json={}).json()["result"]["count"])


def test_a_snapshot_fits_its_collection(client: QdrantClient, http: httpx.Client, good: bytes) -> None:
    """One of other vectors is refused, as by a real server, though it is a good one."""
    name = "of-other-vectors"
    client.create_collection(name, vectors_config=models.VectorParams(size=3, distance=models.Distance.DOT))

    answer = http.post(f"/collections/{name}/snapshots/upload", files={"snapshot": ("a", good)})

    assert (answer.status_code, "not compatible with existing collection" in answer.text) == (400, True)
    assert client.get_collection(name).config.params.vectors == models.VectorParams(
        size=3, distance=models.Distance.DOT
    )
    client.delete_collection(name)


@pytest.mark.parametrize(
    "form",
    [
        b"",
        b"--B",
        b"--B\r\n",
        b'--B\r\nContent-Disposition: form-data; name="other"; filename="snapshot"\r\n\r\nx\r\n--B--\r\n',
        b'--B\r\nContent-Disposition: form-data; filename="snapshot"\r\n\r\nx\r\n--B--\r\n',
        b'--B\r\nContent-Disposition: form-data; name="snapshot"\r\n\r\nwithout end',
        b'--B\r\nContent-Disposition: form-data; name="snapshot"' + b" " * 9000 + b"\r\n\r\nx\r\n--B--\r\n",
    ],
)
def test_a_form_without_the_file_is_refused(http: httpx.Client, plain: str, form: bytes) -> None:
    """A part of another name, or one that has no end."""
    kind = {"content-type": "multipart/form-data; boundary=B"}

    answer = http.post(f"/collections/{plain}/snapshots/upload", content=form, headers=kind)

    assert (answer.status_code, "no part named" in answer.text) == (400, True)


class Elsewhere(BaseHTTPRequestHandler):
    """Another server: what it answers and what it was asked are its server's `replies` and `asked`."""

    def do_GET(self) -> None:
        """Answer as the path says."""
        server: Any = self.server
        server.asked.append((server.server_address[0], self.path, self.headers.get("api-key")))
        server.replies[self.path](self)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def elsewhere(address: str = "127.0.0.1") -> Iterator[Any]:
    """Run another server."""
    server: Any = ThreadingHTTPServer((address, 0), Elsewhere)
    server.daemon_threads = True
    server.asked, server.replies = [], {}
    server.url = f"http://{address}:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def redirect(to: str) -> Callable[[Any], None]:
    """Return a reply that leads on."""

    def reply(handler: Any) -> None:
        handler.send_response(302)
        handler.send_header("Location", to)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return reply


def content(body: bytes, announced: int | None = None) -> Callable[[Any], None]:
    """Return a reply with a body."""

    def reply(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body) if announced is None else announced))
        handler.end_headers()
        handler.wfile.write(body)

    return reply


def recover(http: httpx.Client, name: str, location: str, **more: str) -> httpx.Response:
    """Ask for a recovery."""
    return http.put(f"/collections/{name}/snapshots/recover", json={"location": location, **more})


def test_the_key_stays_home(http: httpx.Client, plain: str, good: bytes) -> None:
    """A redirect within the server is followed; to another host, port or scheme it is refused, and hears of nothing."""
    with elsewhere() as home, elsewhere("127.0.0.2") as away, elsewhere() as beside:
        away.replies = beside.replies = {"/a": content(good)}
        home.replies = {
            "/near": redirect("/a"),
            "/a": content(good),
            "/loop": redirect("/loop"),
            "/away": redirect(f"{away.url}/a"),
            "/beside": redirect(f"{beside.url}/a"),
            "/tls": redirect(home.url.replace("http", "https") + "/a"),
            "/file": redirect("file:///etc/passwd"),
            "/out": redirect("http://page.example/a"),
        }

        paths = ("near", "loop", "away", "beside", "tls", "file", "out")
        answers = {
            path: recover(http, plain, f"{home.url}/{path}", api_key="k").status_code for path in paths
        }

        assert answers == {
            "near": 200,
            "loop": 400,
            "away": 403,
            "beside": 403,
            "tls": 403,
            "file": 400,
            "out": 403,
        }
        assert away.asked + beside.asked == []
        assert {key for *_, key in home.asked} == {"k"}


def test_what_is_fetched_is_whole_and_small(http: httpx.Client, plain: str, good: bytes) -> None:
    """And checked against its sum."""
    with elsewhere() as home:
        home.replies = {
            "/good": content(good),
            "/short": content(good[:-100], len(good)),
            "/long": content(b"", 2**40),
            "/missing": lambda handler: handler.send_error(404),
            "/nothing": lambda handler: handler.wfile.write(b"nothing of HTTP\r\n\r\n"),
        }
        urls = {path: home.url + path for path in home.replies}

        told = {path: recover(http, plain, url).json()["status"] for path, url in urls.items()}
        summed = recover(http, plain, urls["/good"], checksum="0" * 64)

    assert told["/good"] == "ok"
    assert "too early" in told["/short"]["error"]
    assert "longer than" in told["/long"]["error"]
    assert "404" in told["/missing"]["error"]
    assert "Failed to download" in told["/nothing"]["error"]
    assert (summed.status_code, "checksum mismatch" in summed.text) == (400, True)


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1@page.example/a",
        "http://page.example\\@127.0.0.1/a",
        "http://127.0.0.1:99999/a",
        "http:///a",
        "http://[::1/a",
        "file://page.example/a",
        "file:///dev/zero",
        "file:///tmp",
        "",
    ],
)
def test_odd_locations_are_refused(http: httpx.Client, plain: str, location: str) -> None:
    """Whatever a parser makes of them."""
    assert recover(http, plain, location).status_code in (400, 403)


def test_nothing_waits_for_a_slow_snapshot(http: httpx.Client, plain: str, good: bytes) -> None:
    """Neither writes to the same collection, nor new collections; then the snapshot takes its place."""
    go = threading.Event()

    def slow(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(good)))
        handler.end_headers()
        handler.wfile.write(good[:1000])
        go.wait(30)
        handler.wfile.write(good[1000:])

    with elsewhere() as home, ThreadPoolExecutor(1) as pool:
        home.replies = {"/a": slow}
        recovering = pool.submit(recover, http, plain, f"{home.url}/a")
        assert until(lambda: bool(home.asked))

        started = time.monotonic()
        written = http.put(f"/collections/{plain}/points?wait=true", json=POINT).status_code
        created = http.put(f"/collections/{plain}-2", json={"vectors": {}}).status_code
        deleted = http.delete(f"/collections/{plain}-2").status_code
        taken_s = time.monotonic() - started
        between = count(http, plain)
        go.set()

        assert recovering.result(30).json()["result"] is True
    assert (written, created, deleted, between, count(http, plain)) == (200, 200, 200, 7, 6)
    assert taken_s < 10


def test_a_snapshot_whose_client_has_gone_is_given_up(http: httpx.Client, plain: str) -> None:
    """The download ends, and what was there stays."""
    ended = threading.Event()

    def endless(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(2**30))
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b"x" * 1000)
                time.sleep(0.01)
        except OSError:
            ended.set()

    with elsewhere() as home:
        home.replies = {"/a": endless}
        body = json.dumps({"location": f"{home.url}/a"}).encode()
        url = httpx.URL(str(http.base_url))
        path = f"/collections/{plain}/snapshots/recover"
        head = f"PUT {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
        with socket.create_connection((url.host, url.port or 80)) as connection:
            connection.sendall(head.encode() + body)
            assert until(lambda: bool(home.asked))

        assert ended.wait(20)
    assert count(http, plain) == 6


def test_a_server_that_stops_gives_a_snapshot_up(tmp_path: Path, good: bytes) -> None:
    """At once; the next start removes what was left of one that was killed."""
    data = tmp_path / "data"
    with elsewhere() as home:
        home.replies = {"/a": content(b"", 2**30)}
        for end in ("stop", "kill"):
            with (
                serving(data) as server,
                httpx.Client(base_url=server.url) as http,
                ThreadPoolExecutor(1) as pool,
            ):
                assert not list((data / "snapshots").glob(".incoming/*"))
                asked = len(home.asked)
                pool.submit(recover, http, "new", f"{home.url}/a")
                assert until(lambda before=asked: len(home.asked) > before)  # type: ignore[misc]
                started = time.monotonic()
                getattr(server, end)()
                assert time.monotonic() - started < 5


def test_a_snapshot_may_be_limited(tmp_path: Path, good: bytes) -> None:
    """By a flag; the refusal names it."""
    with serving(tmp_path / "data", "--max-snapshot-mb", "1") as server:
        answer = httpx.post(
            f"{server.url}/collections/a/snapshots/upload", files={"snapshot": ("a", good)}, timeout=30
        )

    assert (answer.status_code, "--max-snapshot-mb" in answer.text) == (400, True)
