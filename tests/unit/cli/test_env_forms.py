"""`ragbed env`: addresses that survive every shell, whatever is in them."""

from __future__ import annotations

import re
import subprocess
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragbed.cli.env import _line

ODD = "postgresql://me:p'w\"$HOME`id`\\ %40!#é@127.0.0.1:1/x"
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r\n"), min_size=1, max_size=30)


def sourced(script: str) -> str:
    """Return what a POSIX shell makes of a line."""
    done = subprocess.run(
        ["sh", "-c", f'{script}\nprintf %s "$X"'], capture_output=True, check=True, env={"HOME": "/nobody"}
    )
    return done.stdout.decode("utf-8")


def test_sh_takes_an_address_as_it_is() -> None:
    """Quotes, dollars, backticks and backslashes are not the shell's to read."""
    assert sourced(_line("sh", "X", ODD)) == ODD


def test_dotenv_keeps_the_address_that_clients_read() -> None:
    """What stands in the file is single-quoted, and decodes to the same address."""
    line = _line("dotenv", "X", ODD)

    assert unquote(sourced(line)) == unquote(ODD)
    assert line.count("'") == 2


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("http://127.0.0.1:1", "set -gx X 'http://127.0.0.1:1'"),
        ("a'b", "set -gx X 'a\\'b'"),
        ("a\\b", "set -gx X 'a\\\\b'"),
        ("$HOME", "set -gx X '$HOME'"),
    ],
)
def test_fish_escapes_quotes_and_backslashes_only(value: str, line: str) -> None:
    """Inside fish's single quotes only these two need a backslash."""
    assert _line("fish", "X", value) == line


@given(value=TEXT)
def test_dotenv_never_breaks_out_of_its_quotes(value: str) -> None:
    """Whatever an address holds, the line has one pair of quotes around all of it, or needs none."""
    line = _line("dotenv", "X", value)

    if line[2:3] != "'":
        assert re.fullmatch(r"X=[A-Za-z0-9_:/@%.,?=+\[\]-]+", line)
    else:
        assert (line[:3], line[-1], line.count("'")) == ("X='", "'", 2)


@pytest.mark.parametrize(
    "url",
    ["postgresql://ragbed:8c1f@127.0.0.1:5/ragbed", "redis://:it%27s@127.0.0.1:6379/0", "http://[::1]:1"],
)
def test_dotenv_has_no_quotes_where_none_are_needed(url: str) -> None:
    """Docker's and GitHub's env files keep them, as a part of the value."""
    assert _line("dotenv", "X", url) == f"X={url}"
    assert sourced(f"X={url}") == url
