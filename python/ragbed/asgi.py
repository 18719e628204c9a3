"""How our own servers start and stop: one loopback socket, one ready line, one quick way out.

The embedded Qdrant and the LLM gateway run through this. It imports as little as it can, because a stack is
up only when its slowest server is.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import os
import re
import signal
import socket
import sys
from typing import TYPE_CHECKING

import uvloop
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import Server

from ragbed.errors import ConfigurationError, RagbedError, UsageError
from ragbed.headers import SUBSTITUTE_HEADER
from ragbed.logs import level_of, log_to_stderr
from ragbed.prometheus import WithoutMetrics, metrics_enabled
from ragbed.request_log import RequestLog
from ragbed.web_pages import WebPages, allowed_names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping
    from typing import Any

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

DEFAULT_HOST = "127.0.0.1"

LISTEN_VARIABLE = "RAGBED_LISTEN"
"""Set by our container images: the address of the container's network, which its published ports lead to."""

_IMAGE_MARK = "/etc/ragbed-image"
"""A file that our images have, and other machines do not."""


class SubstituteHeader:
    """ASGI middleware that names the substitute on every response.

    Args:
        app: The application to wrap.
        name: Value of `SUBSTITUTE_HEADER`, for example `mock-llm`.
    """

    def __init__(self, app: ASGIApp, *, name: str) -> None:
        self._app = app
        self._header = (SUBSTITUTE_HEADER.lower().encode(), name.encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the wrapped application does, plus the header."""

        async def send_named(message: Message) -> None:
            await send(self._named(message))

        await self._app(scope, receive, send_named)

    def _named(self, message: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if message["type"] == "http.response.start":
            return {**message, "headers": [*message.get("headers", ()), self._header]}
        return message


def require_loopback(host: str) -> None:
    """Refuse an address that other machines could reach.

    Args:
        host: `localhost` or an IP address.

    Raises:
        UsageError: The host is not a loopback address.
    """
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_loopback:
            return
    if host != "localhost":
        raise UsageError(
            f"refused to listen on {host!r}: ragbed's servers have no protection but the loopback address",
            hint="leave --host out, or give 127.0.0.1 or ::1",
        )


def container_host(environ: Mapping[str, str], mark: str = _IMAGE_MARK) -> str:
    """Return the address that a container's image gives its server; empty where the server listens on loopback.

    A container has a network of its own: who may reach the server is decided by the ports that are published.

    Args:
        environ: Environment variables.
        mark: The file that tells our images from other machines.

    Raises:
        UsageError: The variable is set outside our images.
    """
    host = environ.get(LISTEN_VARIABLE, "")
    if host and not os.path.exists(mark):  # noqa: PTH110  # pathlib would be imported for this alone
        raise UsageError(
            f"{LISTEN_VARIABLE}={host} counts in ragbed's container images alone, and this is not one",
            hint=f"unset {LISTEN_VARIABLE}",
        )
    return host


def listen(host: str, port: int, *, in_container: bool = False) -> socket.socket:
    """Return a bound socket, not yet listening.

    Args:
        host: Loopback address, or one of a container's network.
        port: TCP port; 0 takes a free one.
        in_container: Whether the host may be another one than loopback.

    Raises:
        UsageError: The host is not a loopback address, or the port is outside 0 to 65535.
        ConfigurationError: The port cannot be bound.
    """
    if not in_container:
        require_loopback(host)
    if not 0 <= port <= 65535:
        raise UsageError(f"port {port} is outside 0 to 65535", hint="--port 0 takes a free one")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise ConfigurationError(
            f"cannot listen on {host}:{port}: {error.strerror}",
            hint="stop what holds the port, or give --port 0",
        ) from error
    return bound


def run_server(
    app: ASGIApp,
    *,
    name: str,
    port: int,
    refusal: Callable[[int, str, str], bytes],
    takes_forms: Callable[[str], bool] = lambda _: False,
    substitute: str = "",
    host: str = DEFAULT_HOST,
    ready_line: str = "{name} ready on {url}",
    on_stop: Callable[[], None] | None = None,
    grace_s: float = 0.1,
) -> None:
    """Serve until SIGTERM or SIGINT, then return; call it from the main thread. Foreign web pages are refused.

    Args:
        app: What answers; ASGI lifespan events are not sent.
        name: Module that is served, as the ready line shows it: `ragbed.gateway`.
        port: TCP port; 0 takes a free one.
        refusal: Returns the JSON body with which a web page is refused, from HTTP status, message and path.
        takes_forms: Says whether a path takes the forms of a web page, as for the upload of a file.
        substitute: Named by a header on every response; empty where the server stands in for none.
        host: Loopback address.
        ready_line: Printed alone on stdout once connections are accepted; `{name}` and `{url}` are filled in.
        on_stop: Called after the last response; flush and close here. It runs even where serving failed.
        grace_s: How long requests under way may take to finish once asked to stop; the rest is cut off.

    Raises:
        UsageError: The host is not a loopback address, or the port is outside 0 to 65535.
        ConfigurationError: The port cannot be bound, a name allowed to clients is not one, or there is no such level
            of the log.
    """
    log_to_stderr(level_of(os.environ))
    guarded: ASGIApp = WebPages(
        _switched(app, refusal), refusal=refusal, names=allowed_names(os.environ), takes_forms=takes_forms
    )
    if substitute:
        guarded = SubstituteHeader(guarded, name=substitute)
    told = container_host(os.environ)
    host = told or host
    try:
        with listen(host, port, in_container=bool(told)) as bound:
            shown_host = f"[{host}]" if ":" in host else host
            url = f"http://{shown_host}:{bound.getsockname()[1]}"
            server = _Server(
                _config(guarded), ready_line=ready_line.format(name=name, url=url), grace_s=grace_s
            )
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(server.serve(sockets=[bound]))
    finally:
        if on_stop is not None:
            on_stop()


def _switched(app: ASGIApp, refusal: Callable[[int, str, str], bytes]) -> ASGIApp:
    """Return the application with what the environment switches on or off: a log of requests, the metrics."""
    if not metrics_enabled(os.environ):
        app = WithoutMetrics(app, refusal=refusal)
    return RequestLog(app) if logging.getLogger(RequestLog.__module__).isEnabledFor(logging.INFO) else app


def run_command(name: str, serve: Callable[[], None]) -> None:
    """Run a server's command; a RagbedError becomes lines on stderr and its exit code, not a traceback.

    Args:
        name: Module that is served; begins the error line.
        serve: What to run.
    """
    try:
        serve()
    except RagbedError as error:
        sys.stderr.write(f"{name}: {error.render()}\n")
        sys.exit(error.exit_code)


def _config(app: ASGIApp) -> Config:
    """Return settings that import and log nothing we do not need."""
    return Config(
        app,
        http=_Protocol,
        ws="none",
        interface="asgi3",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
    )


class _Protocol(HttpToolsProtocol):
    """Uvicorn's, which forgets the host of a request target such as `http://host/path`; it counts instead of `Host`.

    Source: RFC 9112, section 3.2.2.
    """

    def on_headers_complete(self) -> None:
        if not self.url.startswith(b"/") and b"://" in self.url:
            authority = re.split(rb"[/?#]", self.url.partition(b"://")[2], maxsplit=1)[0]
            others = [header for header in self.headers if header[0] != b"host"]
            self.headers[:] = [*others, (b"host", authority)]
        super().on_headers_complete()


class _Server(Server):
    """Uvicorn's server, woken by the signal instead of polling, and exiting with 0 instead of by it."""

    def __init__(self, config: Config, *, ready_line: str, grace_s: float) -> None:
        super().__init__(config)
        self._ready_line = ready_line
        self._grace_s = grace_s
        self._stop = asyncio.Event()

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop.set)
        await self._serve(sockets)

    async def main_loop(self) -> None:
        sys.stdout.write(f"{self._ready_line}\n")
        sys.stdout.flush()
        while not self._stop.is_set():
            await self.on_tick(0)  # renews the Date header
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), timeout=1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listener in self.servers:
            listener.close()
        for open_socket in sockets or ():
            open_socket.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await self._finish(self._grace_s)
        for connection in list(self.server_state.connections):
            connection.transport.abort()  # the application sees a client that has gone
        await self._finish(self._grace_s / 2)
        logging.disable()  # what is left is cancelled by the runner; its traceback would tell nothing

    async def _finish(self, timeout_s: float) -> None:
        if self.server_state.tasks:
            await asyncio.wait(list(self.server_state.tasks), timeout=timeout_s)
