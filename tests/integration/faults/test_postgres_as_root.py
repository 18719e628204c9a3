"""Postgres refuses root: what ragbed does where user namespaces are forbidden, and with data of another major."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fault_place import Place
from fault_writer import SINKS, lost

from ragbed.stack.record import load_record

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def without_namespaces(place: Place) -> Iterator[Place]:
    """Yield a place whose `unshare` fails, and whose folder for temporary files is its own."""
    if os.geteuid() != 0:
        pytest.skip("only root needs another user for Postgres")
    programs = place.root.parent / "bin"
    programs.mkdir()
    (programs / "unshare").write_text(
        "#!/bin/sh\necho 'unshare failed: Operation not permitted' >&2\nexit 1\n"
    )
    (programs / "unshare").chmod(0o755)
    with tempfile.TemporaryDirectory(prefix="ragbed-test-") as outside:
        Path(outside).chmod(0o755)
        yield Place(place.root, {"PATH": f"{programs}:{os.environ['PATH']}", "TMPDIR": outside})


def write_one(place: Place) -> str:
    """Write a row and return the address of its Postgres."""
    url = (load_record(place.folder) or pytest.fail("no stack")).endpoints["postgres"].url
    sink = SINKS["postgres"](url)
    sink.write(1)
    sink.close()
    return url


@pytest.mark.parametrize("cold", [True, False], ids=["cold", "warm"])
def test_without_namespaces_postgres_runs_as_nobody(without_namespaces: Place, cold: bool) -> None:
    """It starts, keeps its rows through kill -9, and its folders outside go with it."""
    place = without_namespaces
    if cold:
        shutil.rmtree(place.folder.cache)
    started = place.run("up", "-d")
    assert started.code == 0, started
    url = write_one(place)
    place.kill("postgres")

    again = place.run("up", "-d")

    assert (again.code, lost("postgres", url, {1})) == (0, set())
    place.run("down")
    assert [*place.left(), *Path(place.environ["TMPDIR"]).iterdir()] == []


def test_without_namespaces_kept_data_is_found_again(without_namespaces: Place) -> None:
    """`down --keep` moves the folder outside as well, and `reset` removes it."""
    place = without_namespaces
    place.run("up", "-d")
    write_one(place)
    place.run("down", "--keep")

    again = place.run("up", "-d", "--keep")
    url = (load_record(place.folder) or pytest.fail("no stack")).endpoints["postgres"].url

    assert (again.code, lost("postgres", url, {1})) == (0, set())
    place.run("reset", "--yes")
    assert [*place.left(), *Path(place.environ["TMPDIR"]).iterdir()] == []


def test_data_of_another_major_is_refused_and_kept(place: Place) -> None:
    """Kept data that another major wrote is not touched: 10, with both versions and the way out."""
    place.run("up", "-d", "--keep")
    place.run("down")
    mark = place.folder.kept / "postgres" / "PG_VERSION"
    mark.write_text("15\n")

    refused = place.run("up", "-d", "--keep")
    left = place.left()
    mark.write_text("18\n")
    again = place.run("up", "-d", "--keep")
    place.run("down")

    assert (refused.code, again.code) == (10, 0)
    assert "is of major 15, and the server is 18" in refused.error[0]
    assert refused.error[-1].startswith("try: ")
    assert left == []
