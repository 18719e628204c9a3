"""The kinds of service that are known, by name and by address."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ragbed.stack.catalog import BUILT_IN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ragbed.stack.kinds import ServiceKind

_KINDS = {kind.name: kind for kind in BUILT_IN}


@contextmanager
def registered(kind: ServiceKind) -> Iterator[ServiceKind]:
    """Make a kind of service known for a while."""
    _KINDS[kind.name] = kind
    try:
        yield kind
    finally:
        del _KINDS[kind.name]


def kind_of(service: str) -> ServiceKind:
    """Return what is known of a service.

    Raises:
        KeyError: There is no such service.
    """
    return _KINDS[service]


def every_kind() -> tuple[ServiceKind, ...]:
    """Return all kinds of service, in the order that reports show them."""
    return tuple(_KINDS.values())


def is_known(service: object) -> bool:
    """Tell whether a value from a file names a service."""
    return isinstance(service, str) and service in _KINDS


def kinds_at(url: str) -> tuple[ServiceKind, ...]:
    """Return the kinds whose addresses have the scheme of this one; none where it is not a store's."""
    scheme = urlsplit(url).scheme.partition("+")[0]
    return tuple(kind for kind in _KINDS.values() if scheme in kind.schemes)


def port_of(url: str) -> int | None:
    """Return the port of an address, or where clients of its scheme look; None where that is not known."""
    parts = urlsplit(url)
    return parts.port or next((kind.client_port for kind in kinds_at(url)), None)
