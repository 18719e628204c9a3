"""Which launcher starts a service: the one that the setting `stack.kind` chooses, else processes."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ragbed.stack.launching import ProcessLauncher
from ragbed.stack.section import STACK_KIND

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ragbed.settings import Settings
    from ragbed.stack.launchers import Launcher

_LAUNCHERS: dict[str, Launcher] = {}
"""By the value of the setting `stack.kind` that chooses one; every other value takes processes."""


@contextmanager
def chosen_by(stack_kind: str, launcher: Launcher) -> Iterator[Launcher]:
    """Have a value of the setting `stack.kind` choose a launcher for a while."""
    _LAUNCHERS[stack_kind] = launcher
    try:
        yield launcher
    finally:
        del _LAUNCHERS[stack_kind]


def launcher_for(settings: Settings) -> Launcher:
    """Return the launcher that the settings choose."""
    return _LAUNCHERS.get(settings[STACK_KIND], ProcessLauncher())
