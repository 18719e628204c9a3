"""Requests by the official client: one place that makes it, repeats them where that is safe, and names what failed."""

from __future__ import annotations

import time
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from ragbed.llm.failures import error_for, failure_of, pause_before_again, vendor_errors
from ragbed.llm.library import ollama_library
from ragbed.run_headers import run_headers

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx
    import ollama

    from ragbed.llm.failures import NamedRequest
    from ragbed.llm.timeouts_and_retries import ClientPolicy

T = TypeVar("T")

_IDLE_S = 2.0
"""Connections are not used again after this: servers close idle ones, the mock after five seconds."""


def _no_part() -> bool:
    return False


def _with_our_headers(request: httpx.Request) -> httpx.Request:
    """Take away the key of OLLAMA_API_KEY, which the client sends to any host; tell to which run the call belongs."""
    request.headers.pop("authorization", None)  # it was not given for this host
    request.headers.update(run_headers(request.url.host))
    return request


class RetryingClient:
    """The official client in as many forms as there are time-outs, all on one pool of connections.

    Args:
        url: Where Ollama answers.
        policy: Time-out of connecting, and pauses between repeats.
    """

    def __init__(self, url: str, policy: ClientPolicy) -> None:
        self._url = url
        self._policy = policy
        self._clients: dict[float, ollama.Client] = {}
        self._making = Lock()

    def close(self) -> None:
        """Close connections; doing it twice is harmless."""
        for client in self._clients.values():
            client.close()  # type: ignore[no-untyped-call]

    def client(self, silence_s: float) -> ollama.Client:
        """Return the client that bears a silence of so many seconds."""
        with self._making:
            if silence_s not in self._clients:
                self._clients[silence_s] = self._made(silence_s)
        return self._clients[silence_s]

    def _made(self, silence_s: float) -> ollama.Client:
        import httpx  # noqa: PLC0415 - comes with the client

        library = ollama_library()

        timeout = httpx.Timeout(silence_s, connect=self._policy.connect_s)
        # The time-out cannot be given per request; proxies of the environment are not used. An answer sends us to
        # no other host than the one that the guard has judged.
        client: ollama.Client = library.Client(
            host=self._url,
            timeout=timeout,
            trust_env=False,
            transport=self._transport,
            follow_redirects=False,
            auth=_with_our_headers,
        )
        return client

    @cached_property
    def _transport(self) -> httpx.HTTPTransport:
        import httpx  # noqa: PLC0415 - comes with the client

        return httpx.HTTPTransport(limits=httpx.Limits(keepalive_expiry=_IDLE_S), trust_env=False)

    def ask(self, call: NamedRequest, send: Callable[[], T], *, begun: Callable[[], bool] = _no_part) -> T:
        """Send a request, and again where that is safe.

        Args:
            call: What is asked, for the decision and for the error.
            send: Sends it by the official client.
            begun: Tells whether a part of the answer has been read.

        Raises:
            RagbedError: What the failure becomes, see `error_for`.
        """
        repeats = 0
        while True:
            try:
                return send()
            except vendor_errors() as error:
                failure = failure_of(error, begun=begun())
                pause_s = pause_before_again(failure, call, repeats=repeats, policy=self._policy)
                if pause_s is None:
                    raise error_for(failure, call) from error
            repeats += 1
            time.sleep(pause_s)
