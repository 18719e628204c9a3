"""The setting of the launcher: one vocabulary, its earlier words, and single services."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ragbed.errors import ConfigurationError
from ragbed.settings import resolve_settings
from ragbed.stack.launcher_choice import chosen_launcher, is_asked_for, require_known_services
from ragbed.stack.section import STACK_LAUNCHER

if TYPE_CHECKING:
    from pathlib import Path

WORDS = [("embedded", "process"), ("containers", "container"), ("attached", "attach"), ("process", "process")]


@pytest.mark.parametrize(("word", "launcher"), WORDS)
def test_the_earlier_words_are_read(word: str, launcher: str, tmp_path: Path) -> None:
    """Of the key, the variable and the values: a project's file of before goes on working."""
    (tmp_path / "ragbed.toml").write_text(f'[stack]\nkind = "{word}"\n', encoding="utf-8")
    by_variable = resolve_settings(folder=tmp_path / "none", environ={"RAGBED_STACK__KIND": word})

    assert resolve_settings(folder=tmp_path, environ={})[STACK_LAUNCHER] == launcher
    assert by_variable[STACK_LAUNCHER] == launcher
    assert str(by_variable.source(STACK_LAUNCHER)) == "environment RAGBED_STACK__KIND"


def test_a_single_service_has_another_launcher(tmp_path: Path) -> None:
    """The others follow the tier, and a table says the same as a text."""
    environ = {"RAGBED_STACK__LAUNCHERS": "postgres=container, redis=attach"}
    by_text = resolve_settings(folder=tmp_path, environ=environ)
    (tmp_path / "ragbed.toml").write_text('[stack.launchers]\npostgres = "container"\n', encoding="utf-8")
    by_table = resolve_settings(folder=tmp_path, environ={})

    assert [chosen_launcher(by_text, one) for one in ("postgres", "redis", "qdrant")] == [
        "container",
        "attach",
        "process",
    ]
    assert chosen_launcher(by_table, "postgres") == "container"


@pytest.mark.parametrize("text", ["postgres", "postgres=", "=container", "postgres=docker", ","])
def test_a_launcher_that_is_not_known_is_refused(text: str, tmp_path: Path) -> None:
    """The words that there are, and the form, are told."""
    with pytest.raises(ConfigurationError, match="one of attach, process, container") as caught:
        resolve_settings(folder=tmp_path, environ={"RAGBED_STACK__LAUNCHERS": text})

    assert "postgres=container" in caught.value.hint


def test_a_launcher_of_an_unknown_service_is_refused(tmp_path: Path) -> None:
    """A typing error starts nothing else in silence."""
    settings = resolve_settings(folder=tmp_path, environ={}, flags={"stack.launchers": "postgre=container"})

    with pytest.raises(ConfigurationError, match=r"stack\.launchers names 'postgre'"):
        require_known_services(settings)


def test_what_a_command_itself_names_is_asked_for(tmp_path: Path) -> None:
    """A flag wants that launcher; a tier, a file or a variable only says what starts the rest."""
    flags = {"stack.launchers": "postgres=container,redis=attach"}
    single = resolve_settings(folder=tmp_path, environ={"APP_ENV": "ci"}, flags=flags)
    every = resolve_settings(folder=tmp_path, environ={}, flags={"stack.launcher": "process"})

    assert [is_asked_for(single, one) for one in ("postgres", "redis", "qdrant")] == [True, False, False]
    assert is_asked_for(every, "qdrant")
