"""The guard judges what the client will contact: odd addresses are given to both, and their readings compared."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import ollama
import pytest
import redis.connection
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict
from qdrant_client import QdrantClient

from ragbed.errors import ConfigurationError, GuardRefused, RagbedError
from ragbed.guard import check_url, is_loopback
from ragbed.settings import Settings, resolve_settings
from ragbed.stack.addresses import normalised

if TYPE_CHECKING:
    from collections.abc import Callable

LOCAL = resolve_settings(folder=Path("/nonexistent"), environ={})
STAGING = resolve_settings(folder=Path("/nonexistent"), environ={"APP_ENV": "staging"})
SCHEMES = {
    "postgres": ("postgresql", "postgres", "POSTGRESQL", "postgresql+psycopg"),
    "redis": ("redis", "rediss", "REDIS", "redis+socket"),
    "qdrant": ("http", "https", "HTTP", "", "localhost"),
    "ollama": ("http", "https", "HTTP", "", "ollama"),
}
HOSTS = (
    *(
        "127.0.0.1",
        "localhost",
        "[::1]",
        "",
        "10.0.0.5",
        "prod-db.example.com",
        "h,prod-db",
        "127.0.0.1,10.0.0.5",
    ),
    *(
        "%70rod-db",
        "%31%30.0.0.5",
        "127.0.0.1%2Cprod-db",
        "%2Fvar%2Frun",
        "@run",
        "127.1",
        "0x7f.1",
        "2130706433",
    ),
    *(
        "0",
        "0.0.0.0",  # noqa: S104 - an address to ask, not to bind
        "localhost.",
        "127.0.0.1.",
        "x.localhost",
        "localhost.example.com",
        "[::ffff:10.0.0.1]",
    ),
    *(
        "[::1%25lo]",
        "[::1%lo]",
        "[fe80::1]",
        "\uff50rod-db",
        "prod。db",
        "127。0。0。1",
        "127.0.0.1\\",
        "127.0.0.1 ",
    ),
    *("127.0.0.1\t", "127.0.0.1\n.example.com", "[127.0.0.1]", "[v1.x]", "127.0.0.1:1@10.0.0.5", "PROD-DB"),
)
OPTIONS = (
    *(
        "host=10.0.0.5",
        "host=prod-db",
        "hostaddr=10.0.0.5",
        "port=1",
        "dbname=prod",
        "db=2",
        "user=prod",
        "host=",
    ),
    *(
        "%68ost=10.0.0.5",
        "host=127.0.0.1&host=10.0.0.5",
        "service=x",
        "passfile=/x",
        "target_session_attrs=any",
    ),
    *(
        "path=/x",
        "a+b=c",
        "host=a%2Bb",
        "host=a+b",
        "username=prod",
        "password=",
        "sslmode=require",
        "x;host=y",
    ),
)
NASTY = (
    "#",
    "?",
    "/",
    "\\",
    "@",
    ":",
    "%",
    "%00",
    "\t",
    "\n",
    " ",
    "[",
    "]",
    ",",
    ";",
    "&",
    "=",
    "//",
    "é",
    "\x00",
)


def of_postgres(url: str) -> set[str]:
    """Return what libpq would connect to; a socket's folder where the address names no host."""
    read = conninfo_to_dict(url)
    return {host for key in ("host", "hostaddr") for host in str(read.get(key, "")).split(",") if host}


def of_redis(url: str) -> set[str]:
    """Return what redis-py would connect to."""
    read = redis.connection.parse_url(url)
    return {str(read.get("host", "localhost")), *([str(read["path"])] if "path" in read else [])}


def of_qdrant(url: str) -> set[str]:
    """Return what qdrant-client would connect to, and what its HTTP client makes of that."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client = QdrantClient(url=url, check_compatibility=False, trust_env=False)
    remote = client._client
    return {str(remote._host).strip("[]"), httpx.URL(remote.rest_uri).host}  # type: ignore[attr-defined]


def of_ollama(url: str) -> set[str]:
    """Return what Ollama's client would connect to."""
    return {ollama.Client(host=url, trust_env=False)._client.base_url.host}


CLIENTS: dict[str, Callable[[str], set[str]]] = {
    "postgres": of_postgres,
    "redis": of_redis,
    "qdrant": of_qdrant,
    "ollama": of_ollama,
}


@st.composite
def addresses(draw: st.DrawFn, service: str) -> str:
    """Draw an address of a service, odd in one place or in several."""
    scheme = draw(st.sampled_from(SCHEMES[service]))
    user = draw(st.sampled_from(("", "", "u@", "u:p@", "u:p@x@", "prod@", "%70rod:p@", ":p@")))
    place = draw(st.sampled_from(HOSTS)) + draw(st.sampled_from(("", ":1", ":", ":0", ":x", ":1,:2", ":%31")))
    path = draw(st.sampled_from(("", "/", "/x", "/0", "/prod", "/%70rod", "/a/b", "//evil.example.com")))
    options = draw(st.lists(st.sampled_from(OPTIONS), max_size=2))
    end = draw(st.sampled_from(("", "", "#", "#x", "#?host=prod-db&dbname=prod")))
    text = f"{scheme}{'://' if scheme else ''}{user}{place}{path}{'?' if options else ''}{'&'.join(options)}{end}"
    for nasty in draw(st.lists(st.sampled_from(NASTY), max_size=1)):
        where = draw(st.integers(min_value=0, max_value=len(text)))
        text = text[:where] + nasty + text[where:]
    return text


def handed_on(service: str, url: str, tier: Settings) -> str | None:
    """Return what the client is handed; None where the address is refused, or is none."""
    try:
        check_url(tier, url, named="THE_URL", bare=service in {"qdrant", "ollama"})
        return normalised(service, url, named="THE_URL")
    except RagbedError:
        return None


@pytest.mark.parametrize("service", CLIENTS)
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_what_passes_leads_where_the_guard_read(service: str, data: st.DataObject) -> None:
    """On this machine's tiers the client contacts this machine; in the others nothing that is named like production."""
    url = data.draw(addresses(service))

    if (handed := handed_on(service, url, LOCAL)) is not None:
        assert [host for host in CLIENTS[service](handed) if not is_loopback(host)] == []
    if (handed := handed_on(service, url, STAGING)) is not None:
        names = CLIENTS[service](handed)
        if service == "postgres":
            names |= {str(conninfo_to_dict(handed).get(key, "")) for key in ("dbname", "user")}
        assert [name for name in names if "prod" in name.lower()] == []


@pytest.mark.parametrize("tier", [LOCAL, STAGING], ids=["local", "staging"])
@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p@127.0.0.1/x#?host=prod-db.example.com",
        "postgresql://u:p@127.0.0.1/x?%68ost=prod-db",
        "postgresql://127.0.0.1/x?host=127.0.0.1&host=prod-db",
        "postgresql://127.0.0.1/x?host=prod-db&host=127.0.0.1",
        "postgresql://127.0.0.1:1,prod-db:2/x",
        "postgresql://127.0.0.1%2Cprod-db/x",
        "postgresql://u:p@127.0.0.1/x#&dbname=prod",
        "redis://127.0.0.1/0?host=prod-cache",
        "redis:///0?host=prod-cache",
        "redis://%70rod-cache/0",
        "http://127.0.0.1:6333/x?host=prod-db",
    ],
)
def test_a_hidden_name_of_production_is_refused(url: str, tier: Settings) -> None:
    """Fragments, encoded and repeated key words, lists: where a client would follow it, it is read."""
    with pytest.raises(GuardRefused):
        check_url(tier, url, named="THE_URL")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://127.0.0.1/x#y",
        "postgresql://127.0.0.1/x#",
        "postgresql://127.0.0.1/x?host=127.0.0.1&host=127.0.0.1",
        "postgresql://127.0.0.1,localhost/x",
        "redis://127.0.0.1/0?port=7",
        "redis://127.0.0.1/0?path=/run/x",
        "redis://127.0.0.1/0?connection_class=x",
        "redis://127.0.0.1/x",
        "redis://127.0.0.1/0?db=1&db=2",
        "http://127.0.0.1:6333?x=y",
        "http://127.0.0.1:6333#x",
        "http://127.0.0.1:6333//evil.example.com",
    ],
)
def test_an_address_that_clients_read_differently_is_refused(url: str) -> None:
    """Even where each reading is harmless: what was judged must be what is contacted."""
    with pytest.raises(GuardRefused, match="THE_URL is refused"):
        check_url(STAGING, url, named="THE_URL")


@pytest.mark.parametrize(
    "host",
    [
        *("127.1", "0x7f.1", "2130706433", "0", "017700000001", "localhost.", "127.0.0.1.", "x.localhost"),
        *("localhost.example.com", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[fe80::1]"),
    ],
)
@pytest.mark.parametrize("form", ["postgresql://{}/x", "redis://{}/0", "http://{}:6333"])
def test_only_plain_names_of_this_machine_count(form: str, host: str) -> None:
    """Other spellings are looked up, by some clients or by some systems, and may lead elsewhere."""
    with pytest.raises(GuardRefused, match="not on this machine"):
        check_url(LOCAL, form.format(host), named="THE_URL")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p@ss@127.0.0.1/x",
        '"postgresql://127.0.0.1/x"',
        "'redis://127.0.0.1/0'",
        "postgresql://127.0.0.1 /x",
        "redis://127.0.0.1\n/0",
        "http://127.0.0.1\\@evil.example.com",
        "http://[::1%25lo]:6333",
        "postgresql://127.0.0.1/x?unknown=1",
        "postgresql://127.0.0.1/%zz",
    ],
)
def test_what_is_not_an_address_is_a_mistake_of_configuration(url: str) -> None:
    """Quotes, spaces, control characters, a raw @ in a password: told with how to write it, and not shown."""
    with pytest.raises((ConfigurationError, GuardRefused)) as caught:
        check_url(LOCAL, url, named="THE_URL")

    assert "ss@" not in caught.value.render()


@pytest.mark.parametrize("url", ["hello", "127.0.0.1", "localhost:5432"])
def test_a_store_with_a_scheme_needs_one(url: str) -> None:
    """DATABASE_URL=hello is not an address: a mistake, and no refusal."""
    with pytest.raises(ConfigurationError, match="DATABASE_URL is not an address"):
        check_url(LOCAL, url, named="DATABASE_URL", bare=False)
