"""The settings of the project that a command works for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ragbed.settings import Settings


def project_settings() -> Settings:
    """Return the settings; what in them does not count, or is kept back, is said on stderr, a line each."""
    from ragbed.cli.output import note
    from ragbed.settings import resolve_settings
    from ragbed.stack import project_folder

    settings = resolve_settings(folder=project_folder())
    for line in settings.notes:
        note(f"ragbed: {line}")
    return settings
