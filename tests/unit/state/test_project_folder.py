"""Which folder is the project."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ragbed.errors import ConfigurationError
from ragbed.project import MARKS
from ragbed.stack import project_folder
from ragbed.state import find_state_folder

if TYPE_CHECKING:
    from pathlib import Path

SOMEBODY = 54321


@pytest.fixture
def below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, two below the test's own."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a" / "b")
    return tmp_path / "a" / "b"


@pytest.mark.parametrize("mark", MARKS)
def test_the_nearest_folder_with_any_mark_is_the_project(mark: str, below: Path, tmp_path: Path) -> None:
    """A mark nearer by wins over another further up, whichever they are."""
    for one in MARKS:
        (tmp_path / one).touch()
    (below.parent / mark).touch()

    assert project_folder({}) == below.parent
    assert find_state_folder({}).root == below.parent / ".ragbed"


def test_without_any_mark_this_folder_is_the_project(below: Path) -> None:
    """A first `ragbed up` needs no file."""
    assert project_folder({}) == below


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_another_users_folder_is_not_the_project(
    below: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What lies in it is not read; the next folder upwards may be the project, and it is said."""
    (below.parent / ".git").mkdir()
    (tmp_path / "ragbed.toml").touch()
    os.chown(below.parent, SOMEBODY, -1)

    assert project_folder({}) == tmp_path
    assert [f"{below.parent} belongs to user id {SOMEBODY}" in line for line in caplog.messages] == [True]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_in_another_users_project_the_command_is_refused(below: Path) -> None:
    """There is no project to take; RAGBED_ROOT takes it all the same."""
    (below / "ragbed.toml").touch()
    os.chown(below, SOMEBODY, -1)

    with pytest.raises(ConfigurationError, match=f"belongs to user id {SOMEBODY}"):
        project_folder({})
    assert project_folder({"RAGBED_ROOT": str(below)}) == below
