"""Which addresses a test may not reach. Imported by children of tests too, so by nothing but the standard library."""

from __future__ import annotations

import re
from ipaddress import ip_address

PAID = re.compile(
    r"(?:.*\.)?(?:openai\.com|openai\.azure\.com|anthropic\.com|cohere\.(?:com|ai)|mistral\.ai|groq\.com|together\.(?:xyz|ai)"
    r"|openrouter\.ai|deepseek\.com|voyageai\.com|x\.ai|fireworks\.ai|perplexity\.ai|replicate\.com|jina\.ai"
    r"|generativelanguage\.googleapis\.com|.*aiplatform\.googleapis\.com)"
    r"|bedrock(?:-runtime)?(?:-fips)?\..*amazonaws\.com",
    re.IGNORECASE,
)
"""Hosts where a request costs money."""

_PLACES = {
    "socket.connect": 1,
    "socket.sendto": 1,
    "socket.sendmsg": 1,
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
    "socket.gethostbyaddr": 0,
    "socket.getnameinfo": 0,
}
"""Python's own events that open a connection or look a name up, and which argument has the address.

Source: "Audit events table" of Python's documentation.
"""


def refusal(event: str, arguments: tuple[object, ...], *, only_loopback: bool) -> str:
    """Return which address a test may not reach, in words; empty where it may, or for any other event.

    Args:
        event: An audit event of Python.
        arguments: Its arguments.
        only_loopback: True in a unit test.
    """
    if event not in _PLACES or len(arguments) <= _PLACES[event]:
        return ""
    address = arguments[_PLACES[event]]
    port = arguments[1] if event == "socket.getaddrinfo" else None
    if isinstance(address, tuple) and len(address) > 1:
        address, port = address[0], address[1]
    host = address.decode("ascii", "replace") if isinstance(address, bytes) else address
    if not isinstance(
        host, str
    ):  # a Unix socket's path in bytes, None for this machine, a raw socket's numbers
        return ""
    if event == "socket.connect" and port is None:
        return ""  # a Unix socket
    if PAID.fullmatch(host.rstrip(".")) or (only_loopback and not _is_loopback(host)):
        return f"{event} {host}" + (f" port {port}" if port is not None else "")
    return ""


def _is_loopback(host: str) -> bool:
    if host.rstrip(".").lower() in {"", "localhost"} or host.lower().endswith(".localhost"):
        return True
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
