"""The real Ollama of our tests: the one that is named, else the one that was built."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ragbed.errors import RagbedError, UsageError
from tiny_models.ollama_build import build, newest_built

if TYPE_CHECKING:
    from collections.abc import Callable


def find_program() -> Path:
    """Return the `ollama` to use: `RAGBED_TEST_OLLAMA`, else the built one, building it where it is not there yet.

    Raises:
        RagbedError: It is not there, and cannot be built here.
    """
    return _named_program() or build()


def known_program() -> Path | None:
    """Return the `ollama` to use if there is one already; None where it would have to be built.

    Raises:
        UsageError: `RAGBED_TEST_OLLAMA` names no program.
    """
    return _named_program() or newest_built()


def print_path(found: Callable[[], Path], what: str) -> int:
    """Print a path for a script; a reason on stderr where there is none. Returns ragbed's exit code."""
    try:
        print(found())
    except RagbedError as error:
        lines = [
            f"no {what}: {error.message}",
            *error.details,
            *([f"try: {error.hint}"] if error.hint else []),
        ]
        print("\n".join(lines), file=sys.stderr)
        return int(error.exit_code)
    return 0


def _named_program() -> Path | None:
    named = os.environ.get("RAGBED_TEST_OLLAMA")
    if not named:
        return None
    if not os.access(named, os.X_OK):
        raise UsageError(f"RAGBED_TEST_OLLAMA names {named}, which is not a program")
    return Path(named)
