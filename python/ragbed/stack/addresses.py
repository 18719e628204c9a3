"""Addresses of services: the one form that all clients read alike, the variables that carry them, and their keys."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ragbed.errors import ConfigurationError
from ragbed.guard import redacted
from ragbed.settings import definitions as known
from ragbed.stack.registry import kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ragbed.pins import ServicePins
    from ragbed.settings import Settings
    from ragbed.stack.endpoint import Endpoint
    from ragbed.stack.kinds import ServiceKind


def address_variables(endpoints: Mapping[str, Endpoint]) -> dict[str, str]:
    """Return the variables that lead an application to services: `DATABASE_URL` and its like, with their values."""
    return {kind_of(name).variable: endpoint.url for name, endpoint in endpoints.items()}


def default_url(service: str, pins: ServicePins) -> str:
    """Return the address on the service's default port, with the local database's name and password."""
    return kind_of(service).default_url.format(port=pins.port)


def adopt_command(url: str, *, named: str) -> str:
    """Return the command that adopts a store: one to copy, and without a password.

    Args:
        url: Its address in the normal form.
        named: The variable or key that carries it.
    """
    if "://" in os.environ.get(named, ""):  # adopt goes by the scheme
        return f'ragbed adopt "${named}"'
    shown = redacted(url)
    return (
        f"ragbed adopt '{url}'" if shown == url else f"ragbed adopt URL, with the address that {named} holds"
    )


def key_for(kind: ServiceKind, settings: Settings, url: str) -> str:
    """Return the key that was given together with an address; empty for a service without keys.

    Args:
        kind: The service.
        settings: The resolved settings.
        url: The address in the normal form.
    """
    return _key_beside(kind, settings, url) if kind.key else ""


def qdrant_key(settings: Settings, url: str) -> str:
    """Return the key that was given together with an address; empty for none, and for every other address.

    Args:
        settings: The resolved settings.
        url: The address in the normal form.
    """
    return _key_beside(kind_of("qdrant"), settings, url)


def _key_beside(kind: ServiceKind, settings: Settings, url: str) -> str:
    given = settings[kind.url]
    if kind.key is None or not given or given.startswith("memory:"):
        return ""
    if normalised(kind.name, given, named=kind.url.key) != url:
        return ""
    return settings.key_of(kind.key, settings.source(kind.url).level)


def typed_key(settings: Settings, url: str) -> str:
    """Return the key for an address that the user typed: the environment's was given beside it; empty for none.

    Args:
        settings: The resolved settings.
        url: The address in the normal form.
    """
    return qdrant_key(settings, url) or settings.key_of(known.QDRANT_API_KEY, "environment")


def normalised(service: str, url: str, *, named: str) -> str:
    """Return the address in the one form that all clients read alike.

    Ollama's variable may be a bare host or port. The port of a Qdrant is 6333 where none is given, as its official
    client has it. The driver in a Postgres URL (`postgresql+psycopg://`) is another library's affair.

    Args:
        service: Which service it is of.
        url: The address, proven to be one by `check_url`.
        named: The variable or argument that carries it, for the message.

    Raises:
        ConfigurationError: Its scheme is another service's.

    Source: how Ollama reads OLLAMA_HOST, its documentation.
    """
    kind = kind_of(service)
    parts = urlsplit(url if "://" in url else f"{kind.schemes[0]}://{url}")
    # Another library's word for its driver; behind Redis' scheme it says another way to connect.
    scheme = parts.scheme.partition("+")[0] if kind.has_driver else parts.scheme
    if scheme not in kind.schemes:
        raise ConfigurationError(
            f"{named} is a {parts.scheme} address, and {service} has {kind.schemes[0]}://…",
            details=["Unix sockets and other transports are not used: ragbed connects over TCP"]
            if "+" in parts.scheme or parts.scheme == "unix"
            else [],
            hint=f"correct {named}, or unset it to let ragbed start one",
        )
    if not kind.is_http:
        return f"{scheme}{url[len(parts.scheme) :]}"  # clients know it in small letters
    host = parts.hostname or "127.0.0.1"
    host = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - a listener's address, asked as a client
    shown = f"[{host}]" if ":" in host else host
    user = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    port = parts.port or _default_port(kind, parts.scheme, bare="://" not in url)
    return f"{parts.scheme}://{user}{shown}:{port}{parts.path.rstrip('/')}"


def _default_port(kind: ServiceKind, scheme: str, *, bare: bool) -> int:
    return kind.client_port if bare else kind.scheme_ports.get(scheme, kind.client_port)
