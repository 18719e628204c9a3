"""What the settings tell other processes: our servers, which read their environment alone, and the application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragbed.settings import definitions as known

if TYPE_CHECKING:
    from ragbed.settings.resolved import Settings
    from ragbed.settings.setting import Setting


def log_level(settings: Settings) -> str:
    """Return the level from which ragbed logs: that of the settings; where none is given, DEBUG with `app.debug`."""
    if settings[known.DEBUG] and not settings.is_given(known.LOG_LEVEL):
        return "DEBUG"
    return settings[known.LOG_LEVEL]


def server_environ(settings: Settings) -> dict[str, str]:
    """Return the variables by which our servers learn what differs from the defaults.

    A server reads its environment and no file: settings take longer to resolve than a server to start.
    """
    told: dict[Setting[str] | Setting[bool], str] = {
        known.SERVE_ALLOWED_NAMES: settings[known.SERVE_ALLOWED_NAMES],
        known.LOG_LEVEL: log_level(settings),
        known.METRICS_ENABLED: str(settings[known.METRICS_ENABLED]).lower(),
    }
    return {
        setting.own_variable: value
        for setting, value in told.items()
        if value.lower() != str(setting.default).lower()
    }


def application_environ(settings: Settings) -> dict[str, str]:
    """Return what an application is told beside addresses: `TEST_MODE=true` where it is under test."""
    return {known.TEST_MODE.env[0]: "true"} if settings[known.TEST_MODE] else {}
