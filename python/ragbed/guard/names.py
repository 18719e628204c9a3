"""Every host, database and user that an address names, as the client that is handed the address will read it.

A URL's query can send libpq and redis-py elsewhere than its host and path say, libpq knows no fragment and listens to
variables of its own: judging an address by its looks lets it lead elsewhere. So the client's own reading is judged,
and an address that looks otherwise than its client reads it is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from ragbed.errors import ConfigurationError
from ragbed.guard.addresses import HOW_TO_WRITE, split_address

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from urllib.parse import SplitResult

_WHERE = ("host", "hostaddr", "port", "dbname", "user", "service")
"""The key words of libpq that say where a connection goes, and as whom."""

_PLAIN = re.compile(r"postgres(?:ql)?://(?:[\w.~-]+(?::[\w.~-]*)?@)?[\w.-]+(?::\d+)?(?:/[\w.~-]*)?", re.ASCII)
"""An address that libpq cannot read in another way: asking it takes its import, a fifth of a second."""

_HOST = re.compile(r"[\w.-]*", re.ASCII)
_HTTP_PATH = re.compile(r"(?:/[\w.~%-]+)*/?", re.ASCII)
_REDIS_PATH = re.compile(r"/?\d{0,9}", re.ASCII)
_REDIS_OPTIONS = frozenset(
    {
        *(
            "db",
            "username",
            "password",
            "protocol",
            "client_name",
            "health_check_interval",
            "retry_on_timeout",
        ),
        *("socket_timeout", "socket_connect_timeout", "socket_keepalive", "max_connections", "timeout"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What an address names.

    Attributes:
        hosts: Host names and addresses; a folder is one of Unix sockets.
        databases: Databases and services of a service file.
        users: Users.
        doubt: Why clients may read it in different ways, in words; empty where there is one reading.
    """

    hosts: tuple[str, ...]
    databases: tuple[str, ...]
    users: tuple[str, ...]
    doubt: str = ""


def names_in(url: str, environ: Mapping[str, str], *, named: str, bare: bool = True) -> Names:
    """Return every name that a client would follow.

    Args:
        url: The address; one without a scheme is read as HTTP's.
        environ: Environment variables: libpq's own fill in what a Postgres address leaves open.
        named: The variable or argument that carries it, for the message.
        bare: Whether it may go without a scheme.

    Raises:
        ConfigurationError: It is not an address.
    """
    parts = split_address(url)
    if parts is None or not (bare or "://" in url):
        raise not_an_address(named)
    if parts.scheme.startswith("postgres"):
        return _of_postgres(url, parts, environ, named)
    return _of_redis(parts) if parts.scheme.startswith("redis") else _of_http(parts)


def not_an_address(named: str) -> ConfigurationError:
    """Return the refusal of what cannot be read, without a part of it: it may hold a password."""
    return ConfigurationError(f"{named} is not an address", hint=HOW_TO_WRITE)


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
    named = [value for key, value in _options(parts) if key == "service"]
    return tuple(named or ([environ["PGSERVICE"]] if environ.get("PGSERVICE") else []))


def written(url: str) -> dict[str, str]:
    """Return where a Postgres address leads by its looks, in libpq's key words; what it leaves open is not there.

    Args:
        url: The address, proven to be one by `names_in`, which also compares this with libpq's own reading.
    """
    return _written(urlsplit(url))


def _of_postgres(url: str, parts: SplitResult, environ: Mapping[str, str], named: str) -> Names:
    """Return what libpq would follow.

    Source: "Connection URIs", "Parameter Key Words" and "Environment Variables" of the libpq documentation.
    """
    looks = _written(parts)
    # `postgresql+psycopg://` is for another library; its client here gets it without that word.
    plain = f"{parts.scheme.partition('+')[0]}{url[len(parts.scheme) :]}"
    read = looks if _PLAIN.fullmatch(plain) else _as_libpq_reads(plain, named)
    hosts = [*read.get("host", "").split(","), *read.get("hostaddr", "").split(",")]
    hosts = [host for host in hosts if host]
    options = [(key, value) for key, value in _options(parts) if key in _WHERE]
    open_host = not hosts or "" in read.get("host", "x").split(",")
    address = environ.get("PGHOSTADDR", "") if "hostaddr" not in read else ""
    return Names(
        hosts=(
            *hosts,
            *(value for key, value in options if key in {"host", "hostaddr"}),
            *([environ.get("PGHOST", "")] if open_host else []),
            *([address] if address else []),
        ),
        databases=(
            read.get("dbname") or environ.get("PGDATABASE", ""),
            *(value for key, value in options if key in {"dbname", "service"}),
        ),
        users=(
            read.get("user") or environ.get("PGUSER", ""),
            *(value for key, value in options if key == "user"),
        ),
        doubt=_doubt_of_postgres(looks, read, [key for key, _ in options], hosts),
    )


def _as_libpq_reads(url: str, named: str) -> dict[str, str]:
    from psycopg import ProgrammingError  # noqa: PLC0415 - 0.2 s that a plain address should not pay
    from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415 - as above

    try:
        read = conninfo_to_dict(url)
    except (ProgrammingError, UnicodeError):  # its words repeat the address
        raise not_an_address(named) from None
    return {key: str(read[key]) for key in _WHERE if str(read.get(key, "")).strip(",")}


def _doubt_of_postgres(
    looks: Mapping[str, str], read: Mapping[str, str], keys: list[str], hosts: list[str]
) -> str:
    other = [key for key in _WHERE if looks.get(key) != read.get(key)]
    twice = [key for key in keys if keys.count(key) > 1]
    if other:
        return f"libpq reads another {' and '.join(other)} in it than it seems to name"
    if twice:
        return f"it names {twice[0]} twice"
    if "," in read.get("host", "") or "," in read.get("hostaddr", ""):
        return "it lists several hosts, and any of them may answer"
    if strange := [host for host in hosts if not (_is_name(host) or host.startswith(("/", "@")))]:
        return f"{strange[0]!r} is not the name or address of a host"
    return ""


def _written(parts: SplitResult) -> dict[str, str]:
    user, _, places = parts.netloc.rpartition("@")
    pairs = [_host_and_port(place) for place in places.split(",")]
    words = {
        "host": ",".join(host for host, _ in pairs),
        "port": ",".join(port for _, port in pairs),
        "dbname": unquote(parts.path[1:]),
        "user": unquote(user.partition(":")[0]),
    }
    words |= {key: value for key, value in _options(parts) if key in _WHERE}
    return {key: value for key, value in words.items() if value.strip(",")}


def _host_and_port(place: str) -> tuple[str, str]:
    if place.startswith("["):
        host, _, rest = place[1:].partition("]")
        return unquote(host), unquote(rest.removeprefix(":"))
    host, _, port = place.partition(":")
    return unquote(host), unquote(port)


def _options(parts: SplitResult) -> Iterator[tuple[str, str]]:
    """Yield the query's parameters as libpq reads them: a + is a plus sign."""
    for word in parts.query.split("&"):
        key, equals, value = word.partition("=")
        if equals:
            yield unquote(key), unquote(value)


def _of_redis(parts: SplitResult) -> Names:
    """Return what redis-py would follow; what this and our own small client might read differently is in doubt.

    Source: "redis.Redis.from_url" of redis-py's documentation.
    """
    options = list(_options(parts))
    keys = [key for key, _ in options]
    host = unquote(_host(parts))
    return Names(
        hosts=(host, *(value for key, value in options if key in {"host", "path"})),
        databases=(unquote(parts.path.strip("/")), *(value for key, value in options if key == "db")),
        users=(unquote(parts.username or ""), *(value for key, value in options if key == "username")),
        doubt=_doubt_of_redis(parts, host, keys),
    )


def _doubt_of_redis(parts: SplitResult, host: str, keys: list[str]) -> str:
    unknown = [key for key in keys if key not in _REDIS_OPTIONS and not key.startswith("ssl_")]
    if unknown:
        return f"its query has {unknown[0]!r}, which could lead the client elsewhere"
    if twice := [key for key in keys if keys.count(key) > 1]:
        return f"it names {twice[0]} twice"
    if parts.fragment:
        return "it has a # in it"
    if not _REDIS_PATH.fullmatch(parts.path):
        return "its path is not the number of a database"
    return "" if _is_name(host) and host == _host(parts) else f"{host!r} is not the name or address of a host"


def _of_http(parts: SplitResult) -> Names:
    """Return what an HTTP client would follow."""
    host = _host(parts)
    doubt = "" if _is_name(host) else f"{host!r} is not the name or address of a host"
    if parts.query or parts.fragment:
        doubt = "it has a ? or # in it, which its clients drop or keep as they like"
    elif not _HTTP_PATH.fullmatch(parts.path):
        doubt = "its path is not one that every client sends alike"
    return Names(
        hosts=(unquote(host), *(value for key, value in _options(parts) if key in {"host", "hostaddr"})),
        databases=(unquote(parts.path.strip("/")),),
        users=(unquote(parts.username or ""),),
        doubt=doubt,
    )


def _host(parts: SplitResult) -> str:
    """Return the host as it is written, in its own case."""
    place = parts.netloc.rpartition("@")[2]
    return place[1:].partition("]")[0] if place.startswith("[") else place.partition(":")[0]


def _is_name(host: str) -> bool:
    """Tell whether every client looks a host up alike: a name in plain letters, or an address without a zone."""
    if ":" not in host:
        return bool(_HOST.fullmatch(host))
    try:
        ip_address(host)
    except ValueError:
        return False
    return "%" not in host
