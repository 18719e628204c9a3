"""What others said of the services they started: kept per checkout, and never believed further than it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ragbed.pins import load_stack_pins
from ragbed.settings import choose_llm, resolve_settings
from ragbed.stack.external_services import Announcement, announce, load_announcements
from ragbed.stack.registry import kind_of
from ragbed.stack.resolvers import DISCOVERED, Sought, resolve
from ragbed.stack.skipped_services import Skipped
from ragbed.state import StateFolder

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    """A state folder."""
    return StateFolder(tmp_path / "state").prepared()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param("redis://127.0.0.1:7/0", "redis://localhost:7/3", True, id="names of this machine"),
        pytest.param("postgresql://a:b@127.0.0.1/x", "postgresql://[::1]:5432/y", True, id="usual port"),
        pytest.param("http://127.0.0.1:7", "http://127.0.0.1:8", False, id="another port"),
        pytest.param("http://127.0.0.1:7", "http://build-box:7", False, id="another machine"),
    ],
)
def test_an_announcement_is_of_a_place(one: str, other: str, *, same: bool) -> None:
    """Host and port tell servers apart; user, database and the name for this machine do not."""
    assert Announcement(url=one, started_by="devenv").is_at(other) is same


def test_what_was_announced_is_known_later(folder: StateFolder) -> None:
    """The last word on a service counts."""
    announce(folder, "redis", "redis://127.0.0.1:7/0", started_by="a colleague")
    announce(folder, "redis", "redis://127.0.0.1:8/0", started_by="devenv")

    assert load_announcements(folder) == {
        "redis": Announcement(url="redis://127.0.0.1:8/0", started_by="devenv")
    }


def test_taking_back_a_word_on_another_address_changes_nothing(folder: StateFolder) -> None:
    """Adopting one server by hand says nothing of another."""
    announce(folder, "redis", "redis://127.0.0.1:7/0", started_by="devenv")

    announce(folder, "redis", "redis://127.0.0.1:8/0", started_by="")

    assert list(load_announcements(folder)) == ["redis"]


@pytest.mark.parametrize("text", ["", "[]", '{"schema": 2}', '{"schema": 1, "services": {"redis": 7}}'])
def test_a_file_of_another_form_says_nothing(text: str, folder: StateFolder) -> None:
    """It is as if nobody had announced anything."""
    folder.announced_file.write_text(text, encoding="utf-8")

    assert load_announcements(folder) == {}


def test_an_announcement_leads_nowhere_else_than_this_machine(tmp_path: Path) -> None:
    """An address on another host is passed over as it would be refused when given."""
    settings = resolve_settings(environ={}, folder=tmp_path)
    sought = Sought(
        kind=kind_of("redis"),
        pins=load_stack_pins()["redis"],
        settings=settings,
        llm=choose_llm(settings, caller="command"),
        project=None,
        announced=Announcement(url="redis://build-box:6379/0", started_by="devenv"),
    )

    found = resolve(DISCOVERED, sought)

    assert isinstance(found, Skipped)
    assert found.note.startswith(
        "the redis that devenv started is refused: 'build-box' is not on this machine"
    )
