"""The first of the two refusals of production: before any connection, from names alone."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from ragbed.errors import GuardRefused
from ragbed.guard.addresses import is_loopback, split_address
from ragbed.guard.libpq import is_private
from ragbed.guard.names import Names, names_in, services_in
from ragbed.guard.section import (
    ANTHROPIC_KEY,
    GUARD_ALLOWED_HOSTS,
    OPENAI_KEY,
    SECRET_KEY,
    STAGING_ANTHROPIC_KEY,
    STAGING_DATABASE_URL,
    STAGING_OPENAI_KEY,
    STAGING_REDIS_URL,
    STAGING_URL,
    TEST_ENV,
)
from ragbed.settings import definitions as known
from ragbed.settings import line_to_add

if TYPE_CHECKING:
    from ragbed.settings import Setting, Settings

_PRODUCTION = re.compile(r"(?:^|[^a-z])(?:prod|production|live|prd)(?:[^a-z]|$)", re.IGNORECASE)
_NEW_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")
URLS = (
    known.POSTGRES_URL,
    known.REDIS_URL,
    known.QDRANT_URL,
    known.OLLAMA_URL,
    known.LLM_MOCK_URL,
)
_WITH_SCHEME = (known.POSTGRES_URL, known.REDIS_URL, STAGING_DATABASE_URL, STAGING_REDIS_URL)
STAGING_URLS = (STAGING_URL, STAGING_DATABASE_URL, STAGING_REDIS_URL)
"""Only judged by their names: a shell may carry them while the tier stays on this machine."""

KEYS = (
    known.QDRANT_API_KEY,
    OPENAI_KEY,
    ANTHROPIC_KEY,
    SECRET_KEY,
    STAGING_OPENAI_KEY,
    STAGING_ANTHROPIC_KEY,
)


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
            details=["read-only commands work: status, pins, config explain, logs, env, doctor"],
            hint="set APP_ENV to local, ci or staging",
        )
    for setting in URLS:
        bare = setting not in _WITH_SCHEME
        check_url(settings, settings[setting], named=_variable(settings, setting), bare=bare)
    for setting in STAGING_URLS:
        bare = setting not in _WITH_SCHEME
        _refuse_names(settings[setting], named=_variable(settings, setting), bare=bare)
    if address := os.environ.get("PGHOSTADDR"):  # libpq follows it even where a URL names a host
        # As HTTP's, so that it is judged alone: without libpq's other variables.
        check_url(
            settings,
            f"http://[{address}]" if ":" in address else f"http://{address}",
            named="PGHOSTADDR",
        )
    if _is_production(settings[TEST_ENV]):
        raise GuardRefused(
            f"{command} is refused: {_variable(settings, TEST_ENV)} is {settings[TEST_ENV]!r}",
            hint="name an environment made for tests",
        )
    for setting in KEYS:
        if _PRODUCTION.search(settings[setting]):
            raise GuardRefused(
                f"{command} is refused: the key in {_variable(settings, setting)} is a production key",
                hint="give a key made for tests, for example test-key",
            )


def check_url(settings: Settings, url: str, *, named: str, bare: bool = True) -> None:
    """Refuse an address that production's names or another machine stand in. Opens no connection.

    Args:
        settings: The resolved settings.
        url: The address; empty passes.
        named: The variable or argument that carries it, for the message.
        bare: Whether it may go without a scheme.

    Raises:
        ConfigurationError: It is not an address.
        GuardRefused: The host, user or database is named like production, the host is not loopback in a tier
            that allows only that, or clients may read the address in different ways.
    """
    names = _refuse_names(url, named=named, bare=bare)
    if names is None:
        return
    if settings.tier.hosts != "any":
        _refuse_other_machines(settings, names, named=named)
    if names.doubt:
        raise GuardRefused(
            f"{named} is refused: {names.doubt}",
            hint="write host, port, name and user once each, in their places: scheme://user@host:port/name",
        )


def _refuse_other_machines(settings: Settings, names: Names, *, named: str) -> None:
    allowed = _hosts(settings[GUARD_ALLOWED_HOSTS])
    for host in names.hosts:
        if not is_loopback(host) and host.lower() not in allowed:
            raise GuardRefused(
                f"{named} is refused: {host!r} is not on this machine, and tier {settings.tier.name} stays on it",
                details=_allowed_in_vain(settings, host),
                hint=f"if that host is a test machine, {line_to_add(GUARD_ALLOWED_HOSTS, host)}",
            )


def _allowed_in_vain(settings: Settings, host: str) -> list[str]:
    """Return who allows a host without the right to do so."""
    refused = settings.not_counted(GUARD_ALLOWED_HOSTS)
    if refused is None or host.lower() not in _hosts(refused.value):
        return []
    return [f"{refused.source} allows it, which does not count: a checkout may have brought that file along"]


def _hosts(listed: str) -> set[str]:
    return {name.strip().lower() for name in listed.split(",")}


def _refuse_names(url: str, *, named: str, bare: bool = True) -> Names | None:
    """Refuse an address with a name of production in it, and return what it names; None when it is none."""
    if not url or url.startswith("memory:"):
        return None
    private = split_address(url) is not None and is_private(url)
    # A connection to a Postgres of ours does not see libpq's variables.
    names = names_in(url, {} if private else os.environ, named=named, bare=bare)
    for what, written in (("host", names.hosts), ("database", names.databases), ("user", names.users)):
        for name in written:
            if _is_production(name):
                raise GuardRefused(
                    f"{named} is refused: the {what} {name!r} is named like production",
                    hint="point it at a store made for tests",
                )
    if not private and (services := services_in(url, os.environ)):
        raise GuardRefused(
            f"{named} is refused: it goes by the service {services[0]!r} of a service file, which may lead anywhere",
            hint="write host, port, user and database into the address, and unset PGSERVICE",
        )
    return names


def _is_production(name: str) -> bool:
    """Tell whether one of the words of a name means production; `product` and `livestock` do not."""
    return bool(_PRODUCTION.search(_NEW_WORD.sub("-", name)))


def _variable(settings: Settings, setting: Setting[str]) -> str:
    source = settings.source(setting)
    return source.name if source.kind == "environment" else setting.key
