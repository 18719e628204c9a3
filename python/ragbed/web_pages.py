"""Which web pages may call our servers: those of this machine, and those of the names that a setting allows.

A browser on this machine reaches loopback too, for every page that it shows. It sends a foreign page's simple POST
without asking first (cross-site request forgery), and a page whose name is made to point here reads the answers (DNS
rebinding). What a browser says of the page gives both away: `Host`, `Origin` and `Sec-Fetch-Site`, which no page can
change. Clients that are not browsers send `Host` alone.

Source: RFC 9110 section 7.2 and RFC 9112 section 3.2 (Host), RFC 6454 (Origin), the Fetch standard (CORS protocol),
W3C Fetch Metadata Request Headers.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING

from ragbed.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    Header = tuple[bytes, bytes]

NAMES_VARIABLE = "RAGBED_SERVE__ALLOWED_NAMES"
"""Setting `serve.allowed_names`, as our servers read it: our commands put there what the settings say."""

HINT = f"{NAMES_VARIABLE} lists the names that may be used beside loopback"
MAX_PORT = 65535

_HOST = re.compile(
    r"(?:\[(?P<ip>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::(?P<port>[0-9]{0,5}))?", re.ASCII
)
_NAME = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*", re.ASCII)
_JSON = re.compile(rb"application/(?:[a-z0-9.+-]+\+)?json\s*(?:;.*)?", re.IGNORECASE)
_NEAR = frozenset({b"same-origin", b"same-site", b"none"})
_TWICE = b"\0"
"""Stands for a header that is there more than once: it is not a value of any of them."""

_READ = frozenset(
    {
        b"host",
        b"origin",
        b"sec-fetch-site",
        b"content-type",
        b"content-length",
        b"transfer-encoding",
        b"access-control-request-method",
        b"access-control-request-headers",
        b"access-control-request-private-network",
    }
)
_METHODS = b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
_PREFLIGHT_S = b"600"
"""How long a browser may remember an answered preflight, seconds."""


class Refused(Exception):
    """A request that no server of ours takes.

    Args:
        status: HTTP status.
        message: A sentence for who reads the answer.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def allowed_names(environ: Mapping[str, str]) -> frozenset[str]:
    """Return the names beside loopback under which clients and pages may call our servers.

    Args:
        environ: Environment variables; `RAGBED_SERVE__ALLOWED_NAMES` lists host names or addresses, comma-separated.

    Raises:
        ConfigurationError: An entry is not a host name: it has a scheme, a port or a pattern.
    """
    entries = [entry.strip() for entry in environ.get(NAMES_VARIABLE, "").split(",")]
    return frozenset(_allowed(entry) for entry in entries if entry)


def _allowed(entry: str) -> str:
    match = _HOST.fullmatch(f"[{entry}]" if entry.count(":") > 1 and not entry.startswith("[") else entry)
    if match is None or match["port"] is not None:
        raise ConfigurationError(
            f"{NAMES_VARIABLE} holds {entry!r}, which is not a host name",
            hint=f"list names alone, without scheme, port and *: {NAMES_VARIABLE}=qdrant,mock-llm",
        )
    return _normal(match)


class WebPages:
    """ASGI middleware that lets in what this machine sends, and refuses what a foreign web page sends.

    It answers preflights, and tells the browser that pages of this machine may read the answers. A page may send JSON
    only, with that content type: anything else a browser would send without a preflight.

    Args:
        app: The application behind it.
        refusal: Returns the JSON body of a refusal, in the server's own shape, from its status, message and path.
        names: Host names beside loopback, as `allowed_names` returns them.
        takes_forms: Says whether a path takes the forms of a page, as for the upload of a file.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        refusal: Callable[[int, str, str], bytes],
        names: frozenset[str] = frozenset(),
        takes_forms: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._app = app
        self._refusal = refusal
        self._takes_forms = takes_forms
        self._host_status = lru_cache(256)(lambda host: _host_status(host, names))
        self._knows_page = lru_cache(256)(lambda origin: _is_page_of(origin, names))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it; a WebSocket is always refused."""
        if scope["type"] == "http":
            await self._answer(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "no WebSockets here"})
        else:
            await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        sent = _headers_read(scope["headers"])
        origin = sent.get(b"origin")
        if origin is not None and self._knows_page(origin):
            send = _readable(send, origin)
        try:
            self._require_host(sent.get(b"host"), scope)
            if origin is not None or b"sec-fetch-site" in sent:
                self._require_page(sent, scope)
        except Refused as refused:
            body = self._refusal(refused.status, refused.message, scope["path"])
            await _respond(send, refused.status, body)
            return
        if origin is not None and scope["method"] == "OPTIONS" and b"access-control-request-method" in sent:
            await _answer_preflight(send, sent)
        else:
            await self._app(scope, receive, send)

    def _require_host(self, host: bytes | None, scope: Scope) -> None:
        if host is None:
            if scope.get("http_version") != "1.0":
                raise Refused(400, "the request has no `Host` header")
        elif status := self._host_status(host):
            if status == 400:
                raise Refused(400, "the request has several `Host` headers, or one that is not a host")
            raise Refused(403, f"`Host: {_shown(host)}` is not a name of this machine; {HINT}")

    def _require_page(self, sent: dict[bytes, bytes], scope: Scope) -> None:
        """Refuse a page of another site, and what a browser sends for any page without asking first."""
        origin = sent.get(b"origin")
        if origin is None:  # an image, a script, a link that was followed
            if sent[b"sec-fetch-site"].lower() not in _NEAR:
                raise Refused(403, "a web page of another site may not call this server")
        elif not self._knows_page(origin):
            raise Refused(403, f"`Origin: {_shown(origin)}` is not a page of this machine; {HINT}")
        if _has_body(sent) and not self._is_taken(sent.get(b"content-type", b""), scope["path"]):
            raise Refused(415, "a web page must send its body with `content-type: application/json`")

    def _is_taken(self, kind: bytes, path: str) -> bool:
        if _JSON.fullmatch(kind.strip()):
            return True
        return kind.lower().startswith(b"multipart/form-data") and self._takes_forms(path)


def _headers_read(headers: Iterable[Header]) -> dict[bytes, bytes]:
    """Return those headers that are looked at."""
    sent: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in _READ:
            sent[name] = _TWICE if name in sent else value
    return sent


def _host_status(host: bytes, names: frozenset[str]) -> int:
    """Return 0 for a `Host` of this machine, 403 for another, 400 for what is not a host."""
    match = _HOST.fullmatch(host.decode("latin-1").strip(" \t"))
    if match is None or int(match["port"] or 0) > MAX_PORT:
        return 400
    return 0 if _is_near(_normal(match), names) else 403


def _is_page_of(origin: bytes, names: frozenset[str]) -> bool:
    """Say whether an `Origin` is a page of this machine, on whatever port."""
    scheme, _, host = origin.decode("latin-1").partition("://")
    return scheme.lower() in ("http", "https") and _host_status(host.encode("latin-1"), names) == 0


def _normal(match: re.Match[str]) -> str:
    """Return a host as it is compared: in small letters, without the dot of the root, addresses in one form."""
    name = (match["ip"] or match["name"]).lower()
    try:
        return str(ip_address(name.removesuffix(".")))
    except ValueError:
        return name.removesuffix(".")


def _is_near(name: str, names: frozenset[str]) -> bool:
    if name in names or name == "localhost":
        return True
    if name.endswith(".localhost"):  # which browsers look up nowhere
        return _NAME.fullmatch(name) is not None
    try:
        address = ip_address(name)
    except ValueError:
        return False
    inside = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (inside or address).is_loopback


def _has_body(sent: dict[bytes, bytes]) -> bool:
    return b"transfer-encoding" in sent or sent.get(b"content-length", b"0") != b"0"


def _shown(value: bytes) -> str:
    """Return a header's value for a message: short, and plain letters only."""
    return re.sub(r"[^ -_a-~]", "?", "several" if value == _TWICE else value.decode("latin-1"))[:100]


def _readable(send: Send, origin: bytes) -> Send:
    """Return a `send` that lets a page read the answer."""
    more = [(b"access-control-allow-origin", origin), (b"vary", b"Origin")]

    async def send_readable(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *more]}
        await send(message)

    return send_readable


async def _answer_preflight(send: Send, sent: dict[bytes, bytes]) -> None:
    """Allow every method and header to a page that is let in."""
    headers = [
        (b"access-control-allow-methods", _METHODS),
        (b"access-control-max-age", _PREFLIGHT_S),
        (b"vary", b"Access-Control-Request-Method, Access-Control-Request-Headers"),
    ]
    if asked := sent.get(b"access-control-request-headers"):
        headers.append((b"access-control-allow-headers", asked if asked != _TWICE else b"*"))
    if b"access-control-request-private-network" in sent:
        headers.append((b"access-control-allow-private-network", b"true"))
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def _respond(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
