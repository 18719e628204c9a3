"""Every setting that ragbed knows: each room declares those that it reads, in its `section` module.

The sections are imported by name when the first setting is resolved: this room lies below the ones that declare them.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ragbed.settings.setting import Setting

if TYPE_CHECKING:
    from collections.abc import Mapping

SECTIONS = (
    "ragbed.settings.definitions",
    "ragbed.stack.section",
    "ragbed.pipeline.section",
    "ragbed.guard.section",
    "ragbed.costs.section",
    "ragbed.gateway.section",
)
"""The modules that declare settings, in the order in which settings are shown."""


@cache
def all_settings() -> Mapping[str, Setting[Any]]:
    """Return every setting by key, in the order they are shown."""
    declared = (
        one
        for section in SECTIONS
        for one in vars(import_module(section)).values()
        if isinstance(one, Setting)
    )
    return {setting.key: setting for setting in declared}
