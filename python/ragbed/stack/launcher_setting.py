"""The words of launchers in settings and flags: for all services, and for single ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragbed.errors import ConfigurationError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

LAUNCHERS = ("attach", "process", "container")
"""How a service can come to run, in the words of flag, setting and report."""


def read_launchers(raw: object, source: str) -> dict[str, str]:
    """Return launchers by service, from a table or from `postgres=container,redis=process`.

    Args:
        raw: A table, or the text.
        source: Where it came from, for messages.

    Raises:
        ConfigurationError: A launcher is not known, or the text is of another form.
    """
    words = (one.partition("=")[::2] for one in str(raw).split(","))
    pairs = raw.items() if isinstance(raw, dict) else ((name.strip(), word.strip()) for name, word in words)
    return {str(service): _known(str(service), str(name), source) for service, name in pairs}


def launcher_flags(words: Sequence[str]) -> dict[str, object]:
    """Return the settings that the option gives; None for what was not given.

    Args:
        words: Its values, `NAME` or `SERVICE=NAME`.

    Raises:
        UsageError: Two names for all services.
    """
    single = [word for word in words if "=" in word]
    every = list(dict.fromkeys(word for word in words if "=" not in word))
    if len(every) > 1:
        raise UsageError(
            f"two launchers for all services: {' and '.join(every)}",
            hint="write SERVICE=NAME for one of them",
        )
    return {
        "stack.launcher": every[0] if every else None,
        "stack.launchers": ",".join(single) if single else None,
    }


def _known(service: str, name: str, source: str) -> str:
    if not service or name not in LAUNCHERS:
        raise ConfigurationError(
            f"stack.launchers is {service}={name} ({source}), expected SERVICE= and one of {', '.join(LAUNCHERS)}",
            hint="write postgres=container, more than one with commas between them",
        )
    return name
