"""An address taken apart in one strict way, what of it may be shown, and which hosts are this machine."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from urllib.parse import SplitResult

_SECRET_PARAMETER = re.compile(
    r"((?:^|&)[^=&]*(?:password|passwd|token|secret|key)[^=&]*=)[^&]*", re.IGNORECASE
)
_NEVER = re.compile(r"[\x00-\x20\x7f\\\"]|\s")
"""Clients drop, cut at, or turn these round as they like; `urlsplit` drops line breaks and tabs in silence."""

HOW_TO_WRITE = (
    "write it as scheme://user:password@host:port/name, without quotes and spaces, with / # ? @ % of a password"
    " as %2F %23 %3F %40 %25"
)


def split_address(url: str) -> SplitResult | None:
    """Return the parts of an address, or None: for text of another form, and where a password was not encoded.

    The parser's own words are dropped: it calls the first half of such a password a port.

    Args:
        url: The address; one without a scheme is read as HTTP's.
    """
    if _NEVER.search(url) or ("://" not in url and "=" in url):  # `password=…`, another form that libpq takes
        return None
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        several = parts.scheme.startswith("postgres") and "," in parts.netloc
        _ = None if several else parts.port  # reading it checks it
    except ValueError:
        return None
    # An unencoded / # or ? in a password ends the host there: the @ comes later than it may.
    loose = [word for word in parts.query.split("&") if "=" not in word]
    stray = parts.netloc.count("@") > 1 or any("@" in text for text in (parts.path, parts.fragment, *loose))
    return None if stray or not parts.scheme else parts


def is_loopback(host: str) -> bool:
    """Tell whether a host can only mean this machine: its addresses, its name, or a folder of Unix sockets.

    `0.0.0.0` as a target means it too. A name below `localhost`, or with a dot at its end, does not count: systems
    that do not know it ask a name server, which may say anything. Nor do other spellings of an address, such as
    `127.1`, which some clients look up as a name.
    """
    if host.lower() in {"", "localhost"} or host.startswith(("/", "@")):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return "%" not in host and (address.is_loopback or address.is_unspecified)


def redacted(url: str) -> str:
    """Return the address with passwords, keys and tokens hidden; what is not an address is not shown at all."""
    parts = split_address(url)
    if parts is None:
        return "(no address)"
    shown = url
    user, at, host = parts.netloc.rpartition("@")
    if at and ":" in user:
        shown = shown.replace(parts.netloc, f"{user.partition(':')[0]}:***@{host}", 1)
    if parts.query:
        shown = shown.replace(f"?{parts.query}", "?" + _SECRET_PARAMETER.sub(r"\1***", parts.query), 1)
    return shown
