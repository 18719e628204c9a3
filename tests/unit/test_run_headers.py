"""Which run and test a request belongs to, as headers: told to servers on this machine, and read as they were."""

from __future__ import annotations

from contextvars import Context
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from starlette.datastructures import Headers

from ragbed.events import TestId, within_run, within_test
from ragbed.headers import RUN_HEADER, TEST_HEADER
from ragbed.http import request_json
from ragbed.run_headers import run_headers, told_in

if TYPE_CHECKING:
    from collections.abc import Iterator

RUN = "20260102-030405-abcdef"


@pytest.fixture
def told_headers() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Yield the address of a server that answers `{}`, and the headers of each request."""
    told: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.append(dict(self.headers.items()))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", told
        server.shutdown()
        thread.join()


def sent(host: str, test: str = "", run: str = RUN) -> dict[str, str]:
    """Return the headers of a request within a run and a test; this test's own do not count."""

    def ask() -> dict[str, str]:
        with within_run(run), within_test(TestId(test) if test else None):
            return run_headers(host)

    return Context().run(ask)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost", "::1"])
def test_a_server_on_this_machine_is_told(host: str) -> None:
    """A test's id is sent as pytest writes it."""
    test = "tests/test_a.py::test_b[x-1 2]"

    assert sent(host, test) == {RUN_HEADER: RUN, TEST_HEADER: test}
    assert sent(host) == {RUN_HEADER: RUN}


def test_a_request_for_json_tells_it(told_headers: tuple[str, list[dict[str, str]]]) -> None:
    """The pipeline's requests to Qdrant go this way; what a caller sends itself stays."""
    url, told = told_headers

    def ask() -> None:
        with within_run(RUN), within_test(TestId("t.py::test_a")):
            request_json("GET", url, headers={"api-key": "k"})
        request_json("GET", url)

    Context().run(ask)

    inside, outside = told
    assert (inside[RUN_HEADER], inside[TEST_HEADER], inside["api-key"]) == (RUN, "t.py::test_a", "k")
    assert not {RUN_HEADER, TEST_HEADER} & set(outside)


@pytest.mark.parametrize("host", ["example.org", "10.0.0.1", ""])
def test_another_machine_is_not_told(host: str) -> None:
    """Nothing of a run leaves the machine."""
    assert sent(host, "tests/test_a.py::test_b") == {}


def test_outside_of_a_run_nothing_is_told() -> None:
    """Not even empty headers."""
    assert sent("127.0.0.1", run="") == {}


@pytest.mark.parametrize("test", ["t.py::test[ü]", "t.py::test[100%]", "t.py::test[a\nb]", "t.py::test[%41]"])
def test_any_id_comes_out_as_it_was(test: str) -> None:
    """A parameter may hold what no header takes."""
    headers = sent("127.0.0.1", test)

    assert headers[TEST_HEADER].isascii()
    assert headers[TEST_HEADER].isprintable()
    assert told_in(Headers(headers), TEST_HEADER) == test


def test_what_is_not_told_is_none() -> None:
    """Missing and empty are alike."""
    assert (told_in(Headers({}), RUN_HEADER), told_in(Headers({RUN_HEADER: ""}), RUN_HEADER)) == (None, None)
