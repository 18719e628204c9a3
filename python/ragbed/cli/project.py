"""The settings of the project that a command works for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ragbed.settings import Settings


def project_settings(flags: Mapping[str, object] | None = None) -> Settings:
    """Return the settings, and act on those that concern this process and the servers that it runs or starts.

    What in them does not count, is kept back or is not there yet, is said on stderr, a line each.

    Args:
        flags: Values of command-line flags by key; a None value means not given.
    """
    from ragbed.cli.output import note
    from ragbed.logs import log_to_stderr
    from ragbed.project import project_folder
    from ragbed.settings import log_level, not_there_yet, resolve_settings, server_environ

    settings = resolve_settings(folder=project_folder(), flags=flags)
    for line in (*settings.notes, *not_there_yet(settings)):
        note(f"ragbed: {line}")
    log_to_stderr(log_level(settings))
    os.environ.update(server_environ(settings))
    return settings
