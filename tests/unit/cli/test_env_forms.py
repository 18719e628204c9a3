"""`ragbed env`: addresses that survive every shell, whatever is in them."""

from __future__ import annotations

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
    """Whatever an address holds, the line has one pair of quotes around all of it."""
    line = _line("dotenv", "X", value)

    assert (line[:3], line[-1], line.count("'")) == ("X='", "'", 2)
