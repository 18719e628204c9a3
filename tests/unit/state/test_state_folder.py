"""The state folder: where it is, and that its files are whole."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragbed.errors import ConfigurationError
from ragbed.stack import project_folder
from ragbed.state import StateFolder, find_state_folder
from ragbed.state.files import PRIVATE, SHARED, read_json, write_atomically, write_json, write_together

if TYPE_CHECKING:
    from pathlib import Path

JSON = st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text())


def test_the_variable_names_the_folder(tmp_path: Path) -> None:
    """RAGBED_STATE_DIR wins over every checkout."""
    environ = {"RAGBED_STATE_DIR": str(tmp_path / "state"), "RAGBED_ROOT": "/elsewhere"}

    assert find_state_folder(environ).root == tmp_path / "state"


def test_a_relative_variable_is_relative_to_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder is made absolute at once: a later change of folder moves nothing."""
    monkeypatch.chdir(tmp_path)

    assert find_state_folder({"RAGBED_STATE_DIR": "state"}).root == tmp_path / "state"


@pytest.mark.parametrize("mark", ["stack.toml", "ragbed.toml", ".git"])
def test_a_folder_below_a_checkout_belongs_to_it(
    mark: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The nearest folder upwards with a mark of a checkout is the project."""
    (tmp_path / mark).touch()
    (tmp_path / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a" / "b")

    assert project_folder({}) == tmp_path
    assert find_state_folder({}).root == tmp_path / ".ragbed"


def test_git_ignores_the_folder(tmp_path: Path) -> None:
    """A prepared folder keeps itself out of commits, and belongs to its user alone."""
    folder = StateFolder(tmp_path / "state").prepared()

    assert (folder.root / ".gitignore").read_text(encoding="utf-8") == "*\n"
    assert folder.root.stat().st_mode & 0o077 == 0


def test_a_folder_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    """A file in the way is named, and the way out too."""
    (tmp_path / "file").touch()

    with pytest.raises(ConfigurationError, match="cannot write the state folder") as caught:
        StateFolder(tmp_path / "file" / "state").prepared()

    assert "RAGBED_STATE_DIR" in caught.value.hint


@given(value=JSON)
def test_what_is_written_is_read(value: dict[str, object], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Any JSON object survives the way to the file and back."""
    path = tmp_path_factory.getbasetemp() / "value.json"

    write_json(path, value)

    assert read_json(path) == value


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    """While a file is written again and again, every read gives a whole value."""
    path = tmp_path / "value.json"
    write_json(path, {"n": 0})

    with ThreadPoolExecutor(max_workers=2) as pool:
        writing = pool.submit(lambda: [write_json(path, {"n": n, "pad": "x" * 10_000}) for n in range(200)])
        seen = []
        while not writing.done():
            seen.append(json.loads(path.read_text(encoding="utf-8")))

    assert all("n" in value for value in seen)


def test_a_write_that_fails_leaves_the_old_file_alone(tmp_path: Path) -> None:
    """What cannot be written leaves neither half a file nor a leftover."""
    path = tmp_path / "value.json"
    write_json(path, {"n": 1})

    with pytest.raises(TypeError):
        write_json(path, {"n": object()})

    assert read_json(path) == {"n": 1}
    assert os.listdir(tmp_path) == ["value.json"]  # noqa: PTH208 - names only


def test_files_written_together_change_all_or_none(tmp_path: Path) -> None:
    """One of them cannot be written: the other keeps what it held, and nothing is left beside it."""
    kept, impossible = tmp_path / "kept.txt", tmp_path / "missing" / "file.txt"
    write_atomically(kept, "old")

    with pytest.raises(FileNotFoundError):
        write_together({kept: "new", impossible: "new"})

    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == {"kept.txt": "old"}


def test_a_file_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The content is synced before the rename, and the folder after it."""
    path, synced, sync = tmp_path / "value.txt", [], os.fsync

    def watched(handle: int) -> None:
        synced.append((os.path.samestat(os.fstat(handle), tmp_path.stat()), path.exists()))
        sync(handle)

    monkeypatch.setattr(os, "fsync", watched)
    write_atomically(path, "text")

    assert synced == [(False, False), (True, True)]


@pytest.mark.parametrize(("mode", "wanted"), [(PRIVATE, 0o600), (SHARED, 0o640)])
def test_others_read_what_is_meant_for_them(mode: int, wanted: int, tmp_path: Path) -> None:
    """The umask takes its part of a shared file's permission bits."""
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "file.txt", "text", mode=mode)
    finally:
        os.umask(before)

    assert (tmp_path / "file.txt").stat().st_mode & 0o777 == wanted


@pytest.mark.parametrize(
    "content", [None, "", "{", "[1]", "7"], ids=["missing", "empty", "half", "list", "number"]
)
def test_a_file_that_holds_no_object_is_no_value(content: str | None, tmp_path: Path) -> None:
    """A missing or broken file reads as nothing."""
    path = tmp_path / "value.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")

    assert read_json(path) is None


def test_a_lock_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    """While one holds the lock another finds it taken, and free afterwards."""
    folder = StateFolder(tmp_path).prepared()

    with folder.locked("stack"), folder.locked_if_free("stack") as second:
        assert second is False
    with folder.locked_if_free("stack") as third:
        assert third is True
