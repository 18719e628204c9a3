"""The password of a private server: random, and kept in its data folder, where only the owner reads it."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from ragbed.errors import ConfigurationError
from ragbed.state.files import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

_FILE = "ragbed_password"


def choose_password(data: Path, fixed: str) -> str:
    """Return the password that a server on this data must ask for.

    Args:
        data: The data folder; need not be there yet.
        fixed: What the setting says; empty takes the password that the data has, else a new random one.

    Raises:
        ConfigurationError: The setting's value is not text that a client could send.
    """
    try:
        fixed.encode()
    except UnicodeEncodeError:
        raise ConfigurationError(
            "the password that the settings give the stack is not valid UTF-8",
            hint="correct stack.postgres_password or stack.redis_password, or leave it out for a random one",
        ) from None
    return fixed or kept_password(data) or secrets.token_hex(16)


def kept_password(data: Path) -> str:
    """Return the password that the server on this data asks for; empty where none is written down."""
    try:
        return (data / _FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def forget_password(data: Path) -> None:
    """Remove the note: call it before the server's own record changes, so that the two never disagree."""
    (data / _FILE).unlink(missing_ok=True)


def keep_password(data: Path, password: str) -> None:
    """Write down the password that the server on this data asks for."""
    write_atomically(data / _FILE, password)
