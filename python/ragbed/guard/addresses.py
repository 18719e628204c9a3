"""Every host, database and user that an address names, in all the places where a client would read one.

A URL's query can send libpq and redis-py elsewhere than its host and path say, and libpq also listens to its own
variables: whoever judges an address by its host alone is led astray.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from ragbed.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from urllib.parse import SplitResult

_SECRET_PARAMETER = re.compile(
    r"((?:^|&)[^=&]*(?:password|passwd|token|secret|key)[^=&]*=)[^&]*", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What an address names.

    Attributes:
        hosts: Host names and addresses; a folder is one of Unix sockets.
        databases: Databases and services of a service file.
        users: Users.
    """

    hosts: tuple[str, ...]
    databases: tuple[str, ...]
    users: tuple[str, ...]


def names_in(url: str, environ: Mapping[str, str], *, named: str) -> Names:
    """Return every name that a client would follow.

    Args:
        url: The address; one without a scheme is read as HTTP's.
        environ: Environment variables: libpq's own fill in what a Postgres address leaves open.
        named: The variable or argument that carries it, for the message.

    Raises:
        ConfigurationError: It is no address.

    Source: "Connection URIs", "Parameter Key Words" and "Environment Variables" of the libpq documentation.
    """
    parts = _split(url)
    if parts is None:
        raise ConfigurationError(
            f"{named} is no address",
            hint="write it as scheme://user:password@host:port/name, with / # ? @ % of a password as"
            " %2F %23 %3F %40 %25",
        )
    query = parse_qs(parts.query)

    def values(*keys: str) -> list[str]:
        return [one for key in keys for value in query.get(key, ()) for one in value.split(",")]

    libpq = environ if parts.scheme.startswith("postgres") else {}
    hosts = [*unquote(parts.hostname or "").split(","), *values("host", "hostaddr")]
    hosts = [host for host in hosts if host] or [libpq.get("PGHOST", "")]
    databases = [unquote(parts.path.strip("/")), *values("dbname", "db", "service")]
    databases = [name for name in databases if name] or [libpq.get("PGDATABASE", "")]
    users = [unquote(parts.username or ""), *values("user", "username")]
    users = [name for name in users if name] or [libpq.get("PGUSER", "")]
    return Names(
        hosts=(*hosts, *([libpq["PGHOSTADDR"]] if libpq.get("PGHOSTADDR") else [])),
        databases=tuple(databases),
        users=tuple(users),
    )


def services_in(url: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the entries of libpq's service file that a Postgres address would follow.

    Such an entry may bring a `hostaddr`, which wins over the host that the address itself names.

    Args:
        url: The address, proven to be one by `names_in`.
        environ: Environment variables.
    """
    parts = urlsplit(url)
    if not parts.scheme.startswith("postgres"):
        return ()
    named = parse_qs(parts.query).get("service", [])
    return tuple(named or ([environ["PGSERVICE"]] if environ.get("PGSERVICE") else []))


def _split(url: str) -> SplitResult | None:
    """Return the parts of an address, or None: for text of another form, and where a password was not encoded.

    The parser's own words are dropped: it calls the first half of such a password a port.
    """
    if "://" not in url and re.search(r"[\s=]", url):  # `host=… password=…`, another form that libpq takes
        return None
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        _ = parts.port  # reading it checks it
    except ValueError:
        return None
    # An unencoded / # or ? in a password ends the host there: the @ comes later than it may.
    loose = [word for word in parts.query.split("&") if "=" not in word]
    return None if any("@" in text for text in (parts.path, parts.fragment, *loose)) else parts


def is_loopback(host: str) -> bool:
    """Tell whether a host can only mean this machine: its addresses, its name, or a folder of Unix sockets.

    `0.0.0.0` as a target means it too.
    """
    if host in {"", "localhost"} or host.endswith(".localhost") or host.startswith(("/", "@")):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def redacted(url: str) -> str:
    """Return the address with passwords, keys and tokens hidden; what is no address is not shown at all."""
    parts = _split(url)
    if parts is None:
        return "(no address)"
    shown = url
    user, at, host = parts.netloc.rpartition("@")
    if at and ":" in user:
        shown = shown.replace(parts.netloc, f"{user.partition(':')[0]}:***@{host}", 1)
    if parts.query:
        shown = shown.replace(f"?{parts.query}", "?" + _SECRET_PARAMETER.sub(r"\1***", parts.query), 1)
    return shown
