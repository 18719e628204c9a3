"""A setting that no code reads is a lie: each is read by the room that declares it, or says what is not there yet."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import ragbed
from ragbed.settings import Setting, all_settings, not_there_yet, resolve_settings
from ragbed.settings.registry import SECTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

PACKAGE = Path(ragbed.__file__).parent
SHARED = "ragbed.settings.definitions"


def declared(section: str) -> dict[str, Setting[Any]]:
    """Return the settings of a section by the name of their constant."""
    return {name: one for name, one in vars(import_module(section)).items() if isinstance(one, Setting)}


def names_read(source: str) -> set[str]:
    """Return the names that a module reads; an import or a declaration is not a use."""
    nodes = list(ast.walk(ast.parse(source)))
    names = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    return names | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def rooms_that_read() -> Mapping[str, set[str]]:
    """Return the rooms whose modules read each name."""
    rooms: dict[str, set[str]] = {}
    own = {section.replace(".", "/") + ".py" for section in SECTIONS}
    for path in PACKAGE.rglob("*.py"):
        place = path.relative_to(PACKAGE.parent)
        if place.as_posix() not in own:
            for name in names_read(path.read_text(encoding="utf-8")):
                rooms.setdefault(name, set()).add(place.parts[1].removesuffix(".py"))
    return rooms


def test_every_setting_is_read_by_the_room_that_declares_it() -> None:
    """What several rooms read stands in the settings' own room; what is not there yet is read by none."""
    rooms = rooms_that_read()
    wrong = []
    for section in SECTIONS:
        room = section.split(".")[1]
        for name, setting in declared(section).items():
            readers = rooms.get(name, set())
            waits = setting.not_yet and not setting.not_yet_values
            shared = section == SHARED and len(readers) > 1
            if not (readers == set() if waits else room in readers or shared):
                wrong.append(f"{setting.key} of {section} is read by {sorted(readers) or 'no room'}")

    assert wrong == []


def test_a_setting_that_is_only_imported_is_not_read() -> None:
    """What the check above rests on."""
    source = (
        "from ragbed.stack.section import STACK_LAUNCHER\nLOG_LEVEL = 1\nvalue = settings[known.LLM_MODEL]\n"
    )

    assert names_read(source) == {"settings", "known", "LLM_MODEL"}


def lines(tmp_path: Path, **environ: str) -> tuple[str, ...]:
    """Return what is told of an environment."""
    return not_there_yet(resolve_settings(folder=tmp_path, environ=environ))


def test_nothing_is_told_where_nothing_was_asked_for(tmp_path: Path) -> None:
    """Defaults and what a tier says of them are not the user's wishes."""
    assert lines(tmp_path) == ()
    assert lines(tmp_path, APP_ENV="staging") == ()
    assert lines(tmp_path, LOG_LEVEL="DEBUG", METRICS_ENABLED="false") == ()


def test_budgets_are_told_in_one_line(tmp_path: Path) -> None:
    """With the settings and where they came from."""
    (told,) = lines(tmp_path, DAILY_COST_LIMIT_USD="1.0", TEST_COST_BUDGET_USD="0.10")

    assert told == (
        "budget.run_usd = 0.1 (environment TEST_COST_BUDGET_USD), budget.daily_usd = 1.0 (environment"
        " DAILY_COST_LIMIT_USD): budgets are not kept yet, and no paid provider can be called"
    )


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        (
            "RECORDER_MODE",
            "record",
            "llm.recorder = record (environment RECORDER_MODE): recordings are neither made nor replayed yet",
        ),
        (
            "RATE_LIMIT_ENABLED",
            "true",
            "rate_limit.enabled = True (environment RATE_LIMIT_ENABLED): requests are not limited yet",
        ),
    ],
)
def test_what_is_not_there_yet_is_told(variable: str, value: str, told: str, tmp_path: Path) -> None:
    """Of the value that differs from the tier's."""
    assert lines(tmp_path, **{variable: value}) == (told,)


def test_every_setting_that_waits_is_told_where_it_is_given(tmp_path: Path) -> None:
    """None is forgotten."""
    given = {str: "record", bool: "true", int: "7", float: "0.7"}
    waiting = [one for one in all_settings().values() if one.not_yet and not one.not_yet_values]
    environ = {one.own_variable: given[one.kind] for one in waiting}

    told = "\n".join(lines(tmp_path, **environ))

    assert [one.key for one in waiting if f"{one.key} = " not in told] == []
    assert len(waiting) == 8


def test_a_setting_that_waits_says_so_where_it_is_described() -> None:
    """In the table of settings and in `ragbed config explain`."""
    every = all_settings()

    assert every["llm.recorder"].described == (
        "What recordings do. Not there yet: recordings are neither made nor replayed yet."
    )
    assert every["stack.launcher"].described == (
        "How services are started that no other program runs; attach starts none."
    )
    assert every["llm.model"].described == "Chat model."
