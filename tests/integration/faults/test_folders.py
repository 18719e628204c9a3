"""Where the state folder lies, and whose it is."""

from __future__ import annotations

import contextlib
import os
import pwd
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from fault_place import Place
from fault_writer import SINKS, lost

import ragbed
from ragbed.stack.record import load_record

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Yield a folder that every user may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="ragbed-test-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture(scope="session")
def public_python() -> tuple[str, dict[str, str]]:
    """Return a Python that any user may run, and the variables with which it finds ragbed; else skip."""
    if os.geteuid() != 0:
        pytest.skip("only root can act as another user")
    paths = [str(Path(module.__file__).parents[1]) for module in (ragbed, psycopg) if module.__file__]
    environ = {"PYTHONPATH": os.pathsep.join(paths)}
    for python in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        with contextlib.suppress(OSError):
            command = [python, "-c", "import ragbed.stack, psycopg, pydantic, orjson, qdrant_edge"]
            if not subprocess.run(command, user=a_user(), env=environ, cwd="/", check=False).returncode:
                return python, environ
    pytest.skip("no Python on this machine that an ordinary user may run has ragbed's packages")


def folder_of(user: int, parent: Path) -> Path:
    """Make a folder that belongs to a user."""
    folder = parent / f"of-{user}"
    folder.mkdir()
    os.chown(folder, user, -1)
    return folder


def a_user() -> int:
    """Return an ordinary user that this machine knows."""
    return pwd.getpwnam("nobody").pw_uid


@pytest.mark.parametrize("length", [130, 220])
def test_very_long_state_folder(place: Place, length: int) -> None:
    """A path beyond what a Unix socket's may be is not a problem."""
    deep = place.root.parent / ("d" * 60) / ("e" * 60) / ("f" * 60)
    missing = length - len(str(deep)) - 1
    padded = deep / ("g" * missing) if missing > 0 else deep
    long = Place(padded)
    long.copy_cache(place.folder.cache)
    codes = [long.run(*words).code for words in (["up", "-d"], ["status"], ["down"])]

    assert len(str(long.root)) >= length
    assert codes == [0, 0, 0]
    assert long.left() == []


def test_state_folder_behind_a_link(place: Place) -> None:
    """A state folder that is reached through a symbolic link keeps a killed service's data, and leaves nothing."""
    link = place.root.parent / "link"
    link.symlink_to(place.root, target_is_directory=True)
    linked = Place(link)
    linked.run("up", "-d")
    url = (load_record(linked.folder) or pytest.fail("no stack")).endpoints["postgres"].url
    sink = SINKS["postgres"](url)
    sink.write(1)
    sink.close()
    linked.kill("postgres")

    again = linked.run("up", "-d")

    assert (again.code, lost("postgres", url, {1})) == (0, set())
    linked.run("down")
    assert [*linked.left(), *place.processes()] == []


def test_two_checkouts_at_once(place: Place, tmp_path: Path) -> None:
    """Two stacks started at the same moment have their own ports, and the end of one leaves the other."""
    other = Place(tmp_path / "other")
    other.copy_cache(place.folder.cache)
    starts = [one.begin("up", "-d") for one in (place, other)]
    codes = [start.wait(60) for start in starts]
    records = [load_record(one.folder) or pytest.fail("no stack") for one in (place, other)]
    urls = [{endpoint.url for endpoint in record.endpoints.values()} for record in records]

    place.run("down")
    still = other.run("status").code
    other.run("down")

    assert (codes, still) == ([0, 0], 0)
    assert urls[0].isdisjoint(urls[1])
    assert [*place.left(), *other.left()] == []


def test_ordinary_user_with_a_home_that_cannot_be_written(
    open_folder: Path, public_python: tuple[str, dict[str, str]]
) -> None:
    """Nothing but the state folder is written: a read-only home is not a problem."""
    python, environ = public_python
    home = open_folder / "home"
    home.mkdir(mode=0o555)
    place = Place(folder_of(a_user(), open_folder), {**environ, "HOME": str(home)}, python)
    outcomes = [place.run(*words, user=a_user()) for words in (["up", "-d"], ["status"], ["down"])]

    assert [outcome.code for outcome in outcomes] == [0, 0, 0], outcomes
    assert place.left() == []
    assert list(home.iterdir()) == []


def test_user_that_the_machine_does_not_know(
    open_folder: Path, public_python: tuple[str, dict[str, str]]
) -> None:
    """A user id without a name, as containers have them, can start a stack."""
    python, environ = public_python
    stranger = 54_321
    place = Place(folder_of(stranger, open_folder), {**environ, "HOME": "/"}, python)
    outcomes = [place.run(*words, user=stranger) for words in (["up", "-d"], ["status"], ["down"])]

    assert [outcome.code for outcome in outcomes] == [0, 0, 0], outcomes
    assert place.left() == []


@pytest.mark.parametrize(
    "command", ["up -d", "status", "down", "env", "logs", "reset --yes", "smoke --stage stack"]
)
def test_folder_made_by_root_is_explained_to_others(
    open_folder: Path, command: str, public_python: tuple[str, dict[str, str]]
) -> None:
    """An ordinary user who meets root's state folder is told so, with the command that mends it."""
    python, environ = public_python
    place = Place(open_folder / "state", environ, python)
    place.folder.prepared()

    outcome = place.run(*command.split(), user=a_user())

    assert outcome.code == 2
    assert f"{place.root}: Permission denied" in outcome.err
    assert "sudo chown -R $USER" in outcome.err
    assert "Traceback" not in outcome.err
