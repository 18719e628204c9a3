"""Where a daemon for containers is looked for, and what is said of one that cannot be used."""

from __future__ import annotations

import hashlib
import json
import tomllib
from pathlib import Path

import pytest

from ragbed.stack.launchers.container.daemon import EXTRA, Place, places_of, why_not_usable

CHECKOUT = Path(__file__).resolve().parents[3]
URL = "unix:///srv/docker.sock"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a docker context that is in use."""
    folder = tmp_path / ".docker" / "contexts" / "meta" / hashlib.sha256(b"ours").hexdigest()
    folder.mkdir(parents=True)
    meta = {"Name": "ours", "Endpoints": {"docker": {"Host": URL}}}
    (folder / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
    (tmp_path / ".docker" / "config.json").write_text('{"currentContext": "ours"}', encoding="utf-8")
    return tmp_path


def test_the_extra_is_what_the_message_tells_to_install() -> None:
    """One range in both."""
    pyproject = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))

    assert pyproject["project"]["optional-dependencies"]["containers"] == [EXTRA]


def test_docker_host_decides_alone(home: Path) -> None:
    """Over a context, and over every socket."""
    environ = {"HOME": str(home), "DOCKER_HOST": "tcp://127.0.0.1:2375", "DOCKER_CONTEXT": "ours"}

    assert list(places_of(environ)) == [Place(url="tcp://127.0.0.1:2375", named_by="DOCKER_HOST")]


@pytest.mark.parametrize("chosen", [True, False], ids=["DOCKER_CONTEXT", "in use"])
def test_a_context_decides_where_there_is_no_docker_host(chosen: bool, home: Path) -> None:
    """That of the variable, else the one in use."""
    environ = {"HOME": str(home), **({"DOCKER_CONTEXT": "ours"} if chosen else {})}

    assert list(places_of(environ)) == [Place(url=URL, named_by="docker context ours")]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"currentContext": "default"}', '{"auths": {}}'])
def test_without_both_the_sockets_are_looked_at(text: str, tmp_path: Path) -> None:
    """Docker's, rootless Docker's, Docker Desktop's and Podman's, whatever else the configuration says."""
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text(text, encoding="utf-8")
    environ = {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": "/run/user/7"}

    assert [place.url for place in places_of(environ)] == [
        "unix:///var/run/docker.sock",
        "unix:///run/user/7/docker.sock",
        f"unix://{tmp_path}/.docker/run/docker.sock",
        "unix:///run/user/7/podman/podman.sock",
        "unix:///run/podman/podman.sock",
    ]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("unix:///nonexistent.sock", "there is no such socket"),
        ("tcp://build-box:2375", "it is on another machine, whose ports are not this one's"),
        ("ssh://me@build-box", "it is reached by a way that ragbed does not use"),
        ("", "it names no address"),
        ("tcp://127.0.0.1:2375", ""),
        ("unix:///", ""),
    ],
)
def test_a_daemon_that_is_not_asked_is_explained(url: str, why: str) -> None:
    """Its ports must be this machine's."""
    assert why_not_usable(url) == why
