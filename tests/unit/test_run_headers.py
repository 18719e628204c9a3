"""Which run and test a request belongs to, as headers: told to servers on this machine, and read as they were."""

from __future__ import annotations

from contextvars import Context

import pytest
from starlette.datastructures import Headers

from ragbed.events import TestId, within_run, within_test
from ragbed.headers import RUN_HEADER, TEST_HEADER
from ragbed.run_headers import run_headers, told_in

RUN = "20260102-030405-abcdef"


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
