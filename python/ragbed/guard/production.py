"""The first of the two refusals of production: before any connection, from names alone."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ragbed.errors import GuardRefused
from ragbed.settings import definitions as known

if TYPE_CHECKING:
    from ragbed.settings import Setting, Settings

_PRODUCTION = re.compile(r"(?:^|[^a-z])(?:prod|production|live|prd)(?:[^a-z]|$)", re.IGNORECASE)
URLS = (
    known.POSTGRES_URL,
    known.REDIS_URL,
    known.QDRANT_URL,
    known.OLLAMA_URL,
    known.LLM_MOCK_URL,
    known.STAGING_DATABASE_URL,
    known.STAGING_REDIS_URL,
)
KEYS = (known.QDRANT_API_KEY, known.OPENAI_KEY, known.ANTHROPIC_KEY, known.SECRET_KEY)


def refuse_writes(settings: Settings, *, command: str) -> None:
    """Refuse a command that writes, where a name says production. Opens no connection.

    Args:
        settings: The resolved settings.
        command: What wants to write, for the message.

    Raises:
        GuardRefused: The tier is production, or a host, a database or a key is named like production, or a
            host is not loopback in a tier that allows only that.
    """
    if not settings.tier.writes_allowed:
        raise GuardRefused(
            f"{command} is refused: APP_ENV is {settings.tier.name}, which is never a test target",
            details=["read-only commands work: status, pins, config explain, logs, env"],
            hint="set APP_ENV to local, ci or staging",
        )
    for setting in URLS:
        check_url(settings, settings[setting], named=_variable(settings, setting))
    for setting in KEYS:
        if _PRODUCTION.search(settings[setting]):
            raise GuardRefused(
                f"{command} is refused: the key in {_variable(settings, setting)} is a production key",
                hint="give a key made for tests, for example test-key",
            )


def check_url(settings: Settings, url: str, *, named: str) -> None:
    """Refuse an address that production's names or another machine stand in. Opens no connection.

    Args:
        settings: The resolved settings.
        url: The address; empty passes.
        named: The variable or argument that carries it, for the message.

    Raises:
        GuardRefused: The host, user or database is named like production, or the host is not loopback in a
            tier that allows only that.
    """
    if not url or url.startswith("memory:"):
        return
    parts = urlsplit(url if "://" in url else f"http://{url}")
    host = parts.hostname or ""
    for what, name in (("host", host), ("database", parts.path.strip("/")), ("user", parts.username or "")):
        if _PRODUCTION.search(name):
            raise GuardRefused(
                f"{named} is refused: the {what} {name!r} is named like production",
                hint="point it at a store made for tests",
            )
    allowed = {name.strip() for name in settings[known.GUARD_ALLOWED_HOSTS].split(",")}
    if settings.tier.hosts == "loopback" and not is_loopback(host) and host not in allowed:
        raise GuardRefused(
            f"{named} is refused: {host!r} is not on this machine, and tier {settings.tier.name} stays on it",
            hint=f"set RAGBED_GUARD__ALLOWED_HOSTS={host} if that host is a test machine",
        )


def is_loopback(host: str) -> bool:
    """Tell whether a host name can only mean this machine; `0.0.0.0` as a target means it too."""
    if host in {"", "localhost"} or host.endswith(".localhost"):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _variable(settings: Settings, setting: Setting[str]) -> str:
    source = settings.source(setting)
    return source.removeprefix("environment ") if source.startswith("environment ") else setting.key
