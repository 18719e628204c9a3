"""The real Ollama of our tests: the one that is named, else the one that was built."""

from __future__ import annotations

import os
from pathlib import Path

CANNOT = 3
"""Exit code of a script that cannot do its work on this machine; the reason is one line on stderr."""


class CannotBuild(Exception):
    """The program cannot be built here; the reason in one line."""


def find_program() -> Path:
    """Return the `ollama` to use: `RAGBED_TEST_OLLAMA`, else the built one, building it where it is not there yet.

    Raises:
        CannotBuild: It is not there, and cannot be built here.
    """
    named = named_program()
    if named:
        return named
    raise CannotBuild("set RAGBED_TEST_OLLAMA to an ollama")


def cached_program() -> Path | None:
    """Return the program that an earlier run has built; None where none has."""
    return None


def named_program() -> Path | None:
    """Return the program that `RAGBED_TEST_OLLAMA` names; None where it names none.

    Raises:
        CannotBuild: It names no program.
    """
    named = os.environ.get("RAGBED_TEST_OLLAMA")
    if not named:
        return None
    if not os.access(named, os.X_OK):
        raise CannotBuild(f"RAGBED_TEST_OLLAMA names {named}, which is no program")
    return Path(named)
