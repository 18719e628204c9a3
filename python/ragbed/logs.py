"""The log of ragbed's own modules on stderr, from the level on that a setting names."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ragbed.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

LEVEL_VARIABLE = "RAGBED_LOG__LEVEL"
"""Setting `log.level`, as our servers read it: our commands put there what the settings say."""

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_DEFAULT = "WARNING"
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def level_of(environ: Mapping[str, str]) -> str:
    """Return the level that an environment names, by ragbed's own variable or by `LOG_LEVEL`.

    Raises:
        ConfigurationError: There is no such level.
    """
    level = (environ.get(LEVEL_VARIABLE) or environ.get("LOG_LEVEL") or _DEFAULT).upper()
    if level not in LEVELS:
        raise ConfigurationError(f"LOG_LEVEL is {level!r}, expected one of {', '.join(LEVELS)}")
    return level


def log_to_stderr(level: str) -> None:
    """Write the log of ragbed's modules to stderr, from a level on; other libraries' logs stay as they are.

    At WARNING nothing is set up: Python itself writes warnings to stderr then, as plain lines.

    Args:
        level: One of `LEVELS`.
    """
    logger = logging.getLogger("ragbed")
    if level == _DEFAULT or logger.handlers:
        return
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(_FORMAT))
    logger.addHandler(handler)
    logger.setLevel(level)
