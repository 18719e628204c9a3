"""Settings whose feature is not there yet, told instead of being read and forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ragbed.settings.registry import all_settings

if TYPE_CHECKING:
    from ragbed.settings.resolved import Settings
    from ragbed.settings.setting import Setting


def not_there_yet(settings: Settings) -> tuple[str, ...]:
    """Return a line per feature that the settings ask for and that is not there yet, with the settings and sources.

    A value that the user gave is told where it differs from what default and tier say. A value that is a choice among
    others which do count, such as `containers`, is told wherever it was given.

    Args:
        settings: The resolved settings.
    """
    asked: dict[str, list[str]] = {}
    for setting in all_settings().values():
        if setting.not_yet and _is_asked_for(settings, setting):
            named = f"{setting.key} = {settings[setting]} ({settings.source(setting)})"
            asked.setdefault(setting.not_yet, []).append(named)
    return tuple(f"{', '.join(named)}: {lack}" for lack, named in asked.items())


def _is_asked_for(settings: Settings, setting: Setting[Any]) -> bool:
    value = settings[setting]
    if setting.not_yet_values:
        return value in setting.not_yet_values
    without = next(one for one in reversed(settings.history[setting.key]) if not one.source.is_chosen)
    return settings.is_given(setting) and value != without.value
