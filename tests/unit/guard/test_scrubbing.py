"""What the settings know to be secret stands in no text that is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ragbed.guard import scrubber
from ragbed.settings import all_settings, resolve_settings

if TYPE_CHECKING:
    from pathlib import Path

KEYS = [
    [*one.env, one.own_variable][0]
    for one in all_settings().values()
    if one.secret and not one.key.endswith("url")
]
URLS = [[*one.env, one.own_variable][0] for one in all_settings().values() if one.key.endswith("url")]


def scrubbed(text: str, folder: Path, **environ: str) -> str:
    """Return a text as it is shown under these variables."""
    return scrubber(resolve_settings(folder=folder, environ=environ))(text)


@pytest.mark.parametrize("variable", KEYS)
def test_a_key_is_hidden(variable: str, tmp_path: Path) -> None:
    """Wherever it stands, also as a part of a word."""
    shown = scrubbed("Invalid header b'xsekret-4711x'", tmp_path, **{variable: "sekret-4711"})

    assert shown == "Invalid header b'x***x'"


@pytest.mark.parametrize("variable", URLS)
@pytest.mark.parametrize("word", ["se%40kret", "se@kret"], ids=["as-written", "as-read"])
def test_a_password_of_an_address_is_hidden(word: str, variable: str, tmp_path: Path) -> None:
    """In the form of the address, and in the one that the client makes of it."""
    shown = scrubbed(f"no luck with {word}", tmp_path, **{variable: "http://me:se%40kret@127.0.0.1:1/x"})

    assert shown == "no luck with ***"


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("password=sekret1", "postgresql:///x?user=me&password=sekret1"),
        ("host=x password=sekret1", "host=x password=sekret1"),
    ],
    ids=["query", "key-words"],
)
def test_a_password_elsewhere_is_hidden(text: str, url: str, tmp_path: Path) -> None:
    """In an address's query; and all of what is not an address."""
    assert "sekret1" not in scrubbed(text, tmp_path, DATABASE_URL=url)


@pytest.mark.parametrize(
    ("password", "text", "shown"),
    [
        ("ragbed", "ragbed smoke", "ragbed smoke"),
        ("abc", "abc", "abc"),
        ("test", "a test of testing", "a *** of testing"),
    ],
    ids=["everybodys", "three-letters", "a-short-one"],
)
def test_a_text_stays_readable(password: str, text: str, shown: str, tmp_path: Path) -> None:
    """Our own password is not a secret; a short one is hidden where it is a word, a tiny one not at all."""
    url = f"postgresql://me:{password}@127.0.0.1/x"

    assert scrubbed(text, tmp_path, DATABASE_URL=url) == shown
