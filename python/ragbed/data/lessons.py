"""Where the lessons and their golden questions are: in the package, else in the checkout it runs from."""

from __future__ import annotations

from pathlib import Path

from ragbed.errors import ConfigurationError

_HERE = Path(__file__).resolve().parent
_CHECKOUT = _HERE.parents[2]


def lessons_folder() -> Path:
    """Return the folder of lessons.

    Raises:
        ConfigurationError: Neither the package nor a checkout around it has them.
    """
    return _first(_HERE / "lessons", _CHECKOUT / "docs" / "lessons")


def questions_file() -> Path:
    """Return the golden questions of the lessons.

    Raises:
        ConfigurationError: Neither the package nor a checkout around it has them.
    """
    return _first(_HERE / "questions.jsonl", _CHECKOUT / "docs" / "golden" / "questions.jsonl")


def _first(*candidates: Path) -> Path:
    for path in candidates:
        if path.exists():
            return path
    raise ConfigurationError(
        f"ragbed's own {candidates[0].name} is in neither {candidates[0].parent} nor {candidates[1].parent}",
        hint="give --corpus and --questions",
    )
