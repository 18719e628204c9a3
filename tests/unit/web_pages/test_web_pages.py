"""Which requests the middleware of every server lets in, asked of it alone."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from ragbed.errors import ConfigurationError
from ragbed.web_pages import WebPages, allowed_names

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

HERE = "127.0.0.1:6333"
JSON = ("content-type", "application/json")
BODY = ("content-length", "2")


async def _app(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})


def ask(
    *headers: tuple[str, str],
    method: str = "POST",
    path: str = "/calls",
    version: str = "1.1",
    names: str = "",
    kind: str = "http",
) -> tuple[int, dict[str, str]]:
    """Return status and headers of the answer to a request."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    guarded = WebPages(
        _app,
        refusal=lambda status, message, path: f"{status} {path} {message}".encode(),
        names=allowed_names({"RAGBED_SERVE__ALLOWED_NAMES": names}),
        takes_forms=lambda path: path == "/upload",
    )
    scope: dict[str, Any] = {
        "type": kind,
        "method": method,
        "path": path,
        "http_version": version,
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
    }
    with suppress(StopIteration):  # nothing in it waits, so it needs no event loop
        guarded(scope, receive, send).send(None)  # type: ignore[attr-defined]
    if kind == "websocket":
        return 403 if sent[0]["type"] == "websocket.close" else 200, {}
    return sent[0]["status"], {name.decode(): value.decode() for name, value in sent[0]["headers"]}


@pytest.mark.parametrize(
    "host",
    [
        *(
            "127.0.0.1",
            "127.0.0.1:6333",
            "127.8.9.10:1",
            "127.0.0.1.",
            "localhost",
            "LOCALHOST:65535",
            "localhost.:80",
        ),
        *(
            "app.localhost",
            "[::1]",
            "[::1]:6333",
            "[0:0:0:0:0:0:0:1]",
            "[::ffff:127.0.0.1]:80",
            "localhost:",
            " localhost",
        ),
    ],
)
def test_names_of_this_machine_are_hosts(host: str) -> None:
    """On any port, in any writing of them."""
    assert ask(("host", host))[0] == 200


@pytest.mark.parametrize(
    "host",
    [
        *("page.example", "page.example:6333", "localhost.page.example", "127.0.0.1.page.example", "notlocalhost"),
        *("192.168.1.5", "10.0.0.1", "0.0.0.0", "[2001:db8::1]", "[::ffff:10.0.0.1]", "qdrant", "..localhost"),  # noqa: S104
        *("127.0.0.01", "127.1", "2130706433", "0x7f000001", "localhost-"),
    ],
)  # fmt: skip
def test_foreign_hosts_are_forbidden(host: str) -> None:
    """A name of somebody else's may be made to point here; an odd writing of an address may mean another one."""
    assert ask(("host", host))[0] == 403


@pytest.mark.parametrize(
    "host",
    [
        *(
            "",
            ":",
            ":80",
            "localhost:abc",
            "localhost:99999",
            "localhost:-1",
            "localhost:80:80",
            "127.0.0.1/a",
            "a b",
        ),
        *(
            "user@localhost",
            "localhost@page.example",
            "::1",
            "[::1",
            "::1]",
            "[]",
            "localhost,page.example",
            "caf\xe9",
        ),
    ],
)
def test_what_is_not_a_host_is_a_bad_request(host: str) -> None:
    """Ports that are not numbers, users, lists and the like."""
    assert ask(("host", host))[0] == 400


def test_several_hosts_are_a_bad_request() -> None:
    """Even where all of them are ours."""
    assert ask(("host", HERE), ("host", HERE))[0] == 400


@pytest.mark.parametrize(("version", "status"), [("1.1", 400), ("1.0", 200)])
def test_a_host_may_be_missing_in_the_oldest_protocol_alone(version: str, status: int) -> None:
    """HTTP/1.1 demands one, and every browser sends it."""
    assert ask(version=version)[0] == status


def test_forwarded_hosts_change_nothing() -> None:
    """Neither for the better nor for the worse."""
    ours, theirs = ("x-forwarded-host", "localhost"), ("x-forwarded-host", "page.example")

    assert [ask(("host", "page.example"), ours)[0], ask(("host", HERE), theirs)[0]] == [403, 200]


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost:5173",
        "https://127.0.0.1",
        "http://[::1]:3000",
        "http://app.localhost",
        "HTTP://LOCALHOST",
    ],
)
def test_pages_of_this_machine_may_call_and_read(origin: str) -> None:
    """On any port: a developer's own page is one of them."""
    status, headers = ask(("host", HERE), ("origin", origin), ("sec-fetch-site", "cross-site"), JSON, BODY)

    assert (status, headers["access-control-allow-origin"], headers["vary"]) == (200, origin, "Origin")


@pytest.mark.parametrize(
    "origin",
    [
        *(
            "null",
            "",
            "http://page.example",
            "https://localhost.page.example",
            "http://page.example#localhost",
        ),
        *(
            "file://",
            "ftp://localhost",
            "chrome-extension://abc",
            "http://localhost/path",
            "http://user@localhost",
        ),
        *(
            "localhost",
            "http://",
            "http://localhost:x",
            "http://localhost http://page.example",
            "http://10.0.0.1",
        ),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_pages_of_others_are_forbidden(origin: str, method: str) -> None:
    """Whatever they ask, and no browser lets them read the refusal."""
    asked = ("access-control-request-method", "PUT")
    status, headers = ask(("host", HERE), ("origin", origin), JSON, asked, method=method)

    assert (status, "access-control-allow-origin" in headers) == (403, False)


def test_several_origins_are_forbidden() -> None:
    """Even where all of them are ours."""
    assert ask(("host", HERE), *[("origin", "http://localhost")] * 2)[0] == 403


@pytest.mark.parametrize(
    ("site", "status"),
    [
        ("cross-site", 403),
        ("Cross-Site", 403),
        ("odd", 403),
        ("same-site", 200),
        ("same-origin", 200),
        ("none", 200),
    ],
)
def test_what_a_page_loads_names_no_origin(site: str, status: int) -> None:
    """Images, scripts and links: the browser says only how far away the page is."""
    assert ask(("host", HERE), ("sec-fetch-site", site), method="GET")[0] == status


@pytest.mark.parametrize(
    ("kind", "path", "status"),
    [
        ("application/json", "/calls", 200),
        ("Application/JSON; charset=utf-8", "/calls", 200),
        ("application/merge-patch+json", "/calls", 200),
        ("text/plain;charset=UTF-8", "/calls", 415),
        ("application/x-www-form-urlencoded", "/calls", 415),
        ("multipart/form-data; boundary=B", "/calls", 415),
        ("text/plain; application/json", "/calls", 415),
        ("application/jsonp", "/calls", 415),
        ("", "/calls", 415),
        ("multipart/form-data; boundary=B", "/upload", 200),
        ("text/plain", "/upload", 415),
    ],
)
def test_pages_send_json(kind: str, path: str, status: int) -> None:
    """A browser sends nothing else but forms without asking first; forms are for uploads."""
    page = (("host", HERE), ("origin", "http://localhost:5173"), ("content-type", kind))

    assert ask(*page, BODY, path=path)[0] == status
    assert ask(*page, ("transfer-encoding", "chunked"), path=path)[0] == status
    assert (
        ask(("host", HERE), ("sec-fetch-site", "same-origin"), ("content-type", kind), BODY, path=path)[0]
        == status
    )


@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data", "odd"]
)
def test_other_clients_may_name_any_content_type(kind: str) -> None:
    """`curl -d` calls JSON a form."""
    assert ask(("host", HERE), ("content-type", kind), BODY)[0] == 200


def test_preflights_of_our_pages_are_answered() -> None:
    """Before any key is asked for: the browser sends none with it."""
    status, headers = ask(
        ("host", HERE),
        ("origin", "http://localhost:5173"),
        ("access-control-request-method", "PUT"),
        ("access-control-request-headers", "content-type,api-key"),
        ("access-control-request-private-network", "true"),
        method="OPTIONS",
    )

    assert (status, headers["access-control-allow-origin"]) == (204, "http://localhost:5173")
    assert "PUT" in headers["access-control-allow-methods"]
    assert headers["access-control-allow-headers"] == "content-type,api-key"
    assert headers["access-control-allow-private-network"] == "true"


def test_websockets_are_refused() -> None:
    """None of our servers has one."""
    assert ask(("host", HERE), kind="websocket")[0] == 403


@pytest.mark.parametrize("host", ["qdrant", "QDRANT.:6333", "mock-llm", "10.1.2.3", "[2001:db8::1]"])
def test_allowed_names_are_hosts_and_pages(host: str) -> None:
    """As loopback names are."""
    names = "qdrant, Mock-LLM,10.1.2.3,2001:DB8:0::1,"

    assert ask(("host", host), names=names)[0] == 200
    assert ask(("host", HERE), ("origin", f"http://{host}"), names=names)[0] == 200
    assert ask(("host", "page.example"), names=names)[0] == 403


@pytest.mark.parametrize("entry", ["*", "*.example", "http://qdrant", "qdrant:6333", "a b", "qdrant/"])
def test_what_is_not_a_name_is_not_allowed(entry: str) -> None:
    """The message says how names are written."""
    with pytest.raises(ConfigurationError, match="not a host name") as raised:
        allowed_names({"RAGBED_SERVE__ALLOWED_NAMES": f"qdrant,{entry}"})

    assert "RAGBED_SERVE__ALLOWED_NAMES=qdrant,mock-llm" in str(raised.value.render())
