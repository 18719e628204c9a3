"""Which folder is the project: the nearest one upwards that looks like one and is this user's."""

from __future__ import annotations

import logging
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ragbed.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)

FOLDER = ".ragbed"
"""The name of the state folder in a project."""
MARKS = (FOLDER, "ragbed.toml", "stack.toml", "pyproject.toml", ".git")


def project_folder(environ: Mapping[str, str] | None = None) -> Path:
    """Return the project: `RAGBED_ROOT`, else the nearest folder upwards with any of `MARKS`, else this one.

    Another user's folder never is: in `/tmp` anybody can leave a `ragbed.toml` that would be read, or a `.ragbed`.

    Raises:
        ConfigurationError: This folder has a mark, is another user's, and no folder above is a project.
    """
    environ = os.environ if environ is None else environ
    if environ.get("RAGBED_ROOT"):
        return Path(environ["RAGBED_ROOT"]).absolute()
    here = Path.cwd()
    marked = [path for path in (here, *here.parents) if any(os.path.lexists(path / mark) for mark in MARKS)]
    for path in marked:
        if _owner(path) == os.geteuid():
            return path
        _say_once(
            f"{path} belongs to user id {_owner(path)}, and you are {os.geteuid()}: not taken as the project"
        )
    if here in marked:
        raise ConfigurationError(
            f"{here} belongs to user id {_owner(here)}, and you are {os.geteuid()}: it is not your project",
            hint="go to a folder of yours, or take this one all the same: RAGBED_ROOT=. RAGBED_STATE_DIR=FOLDER",
        )
    return here


def shown_path(path: Path) -> str:
    """Return a path as a user types it here: from the current folder on where it lies below that."""
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


def _owner(folder: Path) -> int | None:
    try:
        return folder.stat().st_uid
    except OSError:
        return None


@cache
def _say_once(sentence: str) -> None:
    logger.warning("ragbed: %s", sentence)
