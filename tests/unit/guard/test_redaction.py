"""Passwords and keys in addresses are hidden wherever an address is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ragbed.guard import redacted


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:secret@127.0.0.1:5432/db", "postgresql://me:***@127.0.0.1:5432/db"),
        ("redis://:secret@127.0.0.1:6379/0", "redis://:***@127.0.0.1:6379/0"),
        ("postgresql://me:se@cret@127.0.0.1/db", "(no address)"),  # where the password ends is a guess
        ("postgresql:///db?user=me&password=secret", "postgresql:///db?user=me&password=***"),
        ("http://127.0.0.1:6333?api-key=secret&x=1", "http://127.0.0.1:6333?api-key=***&x=1"),
        ("me:secret@127.0.0.1:11434", "me:***@127.0.0.1:11434"),
        ("http://[::1", "(no address)"),
        ("http://127.0.0.1:6333", "http://127.0.0.1:6333"),
        ("127.0.0.1:11434", "127.0.0.1:11434"),
        ("memory://", "memory://"),
        ("", ""),
        ("host=127.0.0.1 port=1 password=sekret", "(no address)"),
        ("postgresql://me:se/cret@127.0.0.1/db", "(no address)"),
        ("postgresql://me:1/cret@127.0.0.1/db", "(no address)"),
        ("redis://:#cret@127.0.0.1", "(no address)"),
        ("redis://:?cret@127.0.0.1", "(no address)"),
        ("postgresql:///db?user=me@corp", "postgresql:///db?user=me@corp"),
    ],
)
def test_a_password_is_hidden_and_the_rest_is_shown(url: str, shown: str) -> None:
    """What is not secret stays readable."""
    assert redacted(url) == shown


@given(password=st.from_regex(r"[A-Z0-9%@:?]{6,20}", fullmatch=True))
def test_no_password_is_shown(password: str) -> None:
    """Whatever a password is made of, it does not survive."""
    assert password not in redacted(f"postgresql://me:{password}@db:5432/app".replace("?", "%3F"))
