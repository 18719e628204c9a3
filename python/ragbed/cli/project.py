"""The settings of the project that a command works for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ragbed.settings import Settings


def project_settings() -> Settings:
    """Return the settings; what in them does not count, or is kept back, is said on stderr, a line each.

    The servers that this command runs or starts read one of them from the environment, where it is put.
    """
    from ragbed.cli.output import note
    from ragbed.settings import definitions, resolve_settings
    from ragbed.stack import project_folder
    from ragbed.web_pages import NAMES_VARIABLE

    settings = resolve_settings(folder=project_folder())
    for line in settings.notes:
        note(f"ragbed: {line}")
    if names := settings[definitions.SERVE_ALLOWED_NAMES]:
        os.environ[NAMES_VARIABLE] = names
    return settings
