"""The project's identity: made once, and what makes a state folder another project's."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from ragbed.errors import ConfigurationError
from ragbed.state import StateFolder

if TYPE_CHECKING:
    from pathlib import Path

    from ragbed.state import ProjectIdentity
from ragbed.state.tracked import tracked_files


def prepared(path: Path) -> tuple[StateFolder, ProjectIdentity]:
    """Return a prepared state folder and its identity."""
    folder = StateFolder(path).prepared()
    return folder, folder.identity() or pytest.fail("no identity")


def stamp(folder: StateFolder, **changes: Any) -> None:
    """Change fields of an identity's stamp."""
    value = json.loads((folder.root / "identity.json").read_text(encoding="utf-8"))
    value["made_at"].update(changes)
    (folder.root / "identity.json").write_text(json.dumps(value), encoding="utf-8")


def git(folder: Path, *words: str) -> None:
    """Run git in a folder."""
    subprocess.run(["git", "-C", folder, *words], check=True, capture_output=True)


def test_an_identity_is_made_once(tmp_path: Path) -> None:
    """The second use of a folder finds the identity of the first; its file is its user's alone."""
    folder, identity = prepared(tmp_path / "shop" / ".ragbed")

    assert prepared(folder.root)[1] == identity
    assert re.fullmatch("[0-9a-f]{16}", identity.id)
    assert identity.name == "shop"
    assert (folder.root / "identity.json").stat().st_mode & 0o777 == 0o600


def test_two_first_uses_at_once_make_one_identity(tmp_path: Path) -> None:
    """Threads that prepare one folder at the same moment find the same identity, and no thread's files odd."""
    for folder in (tmp_path / f"state-{number}" for number in range(50)):
        with ThreadPoolExecutor(max_workers=8) as pool:
            identities = set(pool.map(lambda _, folder=folder: prepared(folder)[1], range(8)))

        assert len(identities) == 1
        assert not list(folder.glob("aside-*"))


def test_a_moved_folder_keeps_its_identity(tmp_path: Path) -> None:
    """After a move, and a second one, the project is the same."""
    _, identity = prepared(tmp_path / "a")
    (tmp_path / "a").rename(tmp_path / "b")
    moved = prepared(tmp_path / "b")[1]
    (tmp_path / "b").rename(tmp_path / "c")

    assert {identity.id, moved.id, prepared(tmp_path / "c")[1].id} == {identity.id}


def test_a_copied_folder_is_another_project(tmp_path: Path) -> None:
    """A copy is not believed, gets an identity of its own, and what it brought along is set aside."""
    folder, identity = prepared(tmp_path / "a")
    (folder.leases / "brought.json").write_text("{}", encoding="utf-8")
    shutil.copytree(folder.root, tmp_path / "b")
    believed = StateFolder(tmp_path / "b").is_believed()
    copy, other = prepared(tmp_path / "b")

    assert (believed, copy.is_believed(), folder.is_believed()) == (False, True, True)
    assert other.id != identity.id
    assert list(copy.leases.iterdir()) == []
    assert [path.name for path in copy.root.glob("aside-*/leases/*")] == ["brought.json"]


def test_a_folder_of_another_machine_is_not_believed(tmp_path: Path) -> None:
    """The same path and inode on another machine are another folder."""
    folder, identity = prepared(tmp_path / "state")
    stamp(folder, machine="0" * 32)

    assert not folder.is_believed()
    assert prepared(folder.root)[1].id != identity.id


@pytest.mark.parametrize(
    ("changes", "believed"),
    [({}, True), ({"path": "/elsewhere"}, True), ({"inode": 1}, False), ({"device": 1}, True)],
    ids=["same", "bind mount", "same path in another container", "mounted again"],
)
def test_without_a_machines_id_the_inode_decides(
    changes: dict[str, Any], believed: bool, tmp_path: Path
) -> None:
    """Many containers have no machine id, and all of them a folder /app."""
    folder, _ = prepared(tmp_path / "state")
    stamp(folder, machine="", **changes)

    assert folder.is_believed() is believed


def test_a_folder_that_git_tracks_is_not_believed(tmp_path: Path) -> None:
    """An identity that is checked in was brought along; the one written over it is not what git tracks."""
    git(tmp_path, "init", "-q")
    folder, identity = prepared(tmp_path / ".ragbed")
    git(tmp_path, "add", "-f", ".ragbed/identity.json")
    tracked_files.cache_clear()  # a process asks git once

    assert not folder.is_believed()
    assert prepared(folder.root)[1].id != identity.id
    assert folder.is_believed()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\0" * 10,
        b"[" * 100_000,
        b'{"schema": 1, "id": "../../etc", "name": "x", "made_at": {}}',
        b'{"schema": 1, "id": 7, "name": ["x"], "made_at": []}',
        b'{"schema": 1, "id": "0123456789abcdef", "name": "x", "made_at": {"inode": "1"}}',
        b'{"schema": ' + b"9" * 10_000 + b"}",
    ],
    ids=["empty", "half", "list", "NULs", "deep", "path", "types", "stamp", "number"],
)
def test_an_odd_identity_file_is_replaced(content: bytes, tmp_path: Path) -> None:
    """No content of the file stops a command."""
    folder, identity = prepared(tmp_path / "state")
    (folder.root / "identity.json").write_bytes(content)

    assert not folder.is_believed()
    assert prepared(folder.root)[1].id != identity.id


@pytest.mark.parametrize("kind", ["link", "fifo", "folder", "unreadable"])
def test_what_is_not_a_file_is_no_identity(kind: str, tmp_path: Path) -> None:
    """A link is not followed, a FIFO not waited for."""
    folder, _ = prepared(tmp_path / "state")
    path = folder.root / "identity.json"
    path.rename(tmp_path / "elsewhere")
    if kind == "link":
        path.symlink_to(tmp_path / "elsewhere")
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.touch(mode=0)

    assert not folder.is_believed()
    assert prepared(folder.root)[0].is_believed()


def test_a_link_in_place_of_a_folder_is_set_aside(tmp_path: Path) -> None:
    """`data` as a link would let a deletion reach another folder."""
    (tmp_path / "home" / "documents").mkdir(parents=True)
    folder, _ = prepared(tmp_path / "state")
    folder.data.rmdir()
    folder.data.symlink_to(tmp_path / "home")

    folder.prepared()

    assert not folder.data.is_symlink()
    assert [path.readlink() for path in folder.root.glob("aside-*/data")] == [tmp_path / "home"]


@pytest.mark.parametrize("name", ["stack.lock", "identity.lock", ".gitignore"])
def test_a_link_to_nowhere_makes_no_file_there(name: str, tmp_path: Path) -> None:
    """Neither a lock nor the ignore file is written through a link."""
    state = tmp_path / "state"
    state.mkdir()
    (state / name).symlink_to(tmp_path / "made")

    folder, _ = prepared(state)
    with folder.locked("stack"):
        pass

    assert not (tmp_path / "made").exists()


def test_a_project_whose_state_folder_is_a_foreign_link_gets_its_own(tmp_path: Path) -> None:
    """`.ragbed` that leads elsewhere is renamed: nothing is written there."""
    home = tmp_path / "home"
    (home / "data" / "photos").mkdir(parents=True)
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / ".ragbed").symlink_to(home)

    folder, _ = prepared(tmp_path / "project" / ".ragbed")

    assert not folder.root.is_symlink()
    assert [path.name for path in home.rglob("*")] == ["data", "photos"]


def test_a_store_of_models_that_came_along_is_not_served(tmp_path: Path) -> None:
    """Blobs stay, whose digest is checked when a store is laid out; a store that is laid out is served unchecked."""
    models = tmp_path / ".ragbed" / "models"
    (models / "stores" / "small").mkdir(parents=True)
    (models / "blobs").mkdir()

    folder, _ = prepared(tmp_path / ".ragbed")

    assert [path.name for path in folder.models.iterdir()] == ["blobs"]
    assert [path.name for path in folder.root.glob("aside-*/models-stores/*")] == ["small"]


@pytest.mark.parametrize(("name", "refused"), [("home", True), (".ragbed", False)])
def test_a_folder_in_use_is_not_taken_for_a_state_folder(name: str, refused: bool, tmp_path: Path) -> None:
    """RAGBED_STATE_DIR that names a home folder moves nothing in it; a project's `.ragbed` is ours to arrange."""
    (tmp_path / name / "data" / "photos").mkdir(parents=True)

    if refused:
        with pytest.raises(ConfigurationError, match="is not a state folder"):
            StateFolder(tmp_path / name).prepared()
    else:
        StateFolder(tmp_path / name).prepared()

    assert (tmp_path / name / "data" / "photos").exists() is refused


def test_data_that_a_later_pull_brings_is_not_loaded(tmp_path: Path) -> None:
    """A folder that git tracks a file of is not used, however long ours has been believed: ours lies beside it."""
    git(tmp_path, "init", "-q")
    folder, identity = prepared(tmp_path / ".ragbed")
    for name in ("kept/postgres", "cache/postgres-18", "data/0a1b2c3d", "qdrant/x"):
        (folder.root / name).mkdir(parents=True)
        (folder.root / name / "postgresql.conf").touch()
    git(tmp_path, "add", "-f", ".ragbed/kept", ".ragbed/cache", ".ragbed/data", ".ragbed/qdrant")
    tracked_files.cache_clear()

    folder.prepared()

    names = [path.name for path in (folder.kept, folder.cache, folder.data, folder.qdrant)]
    assert names == ["kept-untracked", "cache-untracked", "data-untracked", "qdrant-untracked"]
    assert folder.identity() == identity
    assert (folder.root / "data" / "0a1b2c3d" / "postgresql.conf").exists()
