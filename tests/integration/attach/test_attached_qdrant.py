"""A Qdrant of others that is of no use as it is: the line that says why, and nothing of theirs changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from attach_cases import UNMARKED, Case, check_found, check_given, given, table
from other_qdrant import KEY, READING
from other_sockets import by_path, http, tls

from ragbed.errors import ServiceNotReady
from ragbed.stack.registry import kind_of
from ragbed.state import StateFolder

if TYPE_CHECKING:
    from pathlib import Path

    from other_sockets import Serve
    from others import Others

SUBSTITUTE = "is a substitute, which is used only where QDRANT_URL names it"


def _listener(others: Others, serve: Serve, scheme: str = "http") -> str:
    return f"{scheme}://127.0.0.1:{others.listener(serve).port}"


def _behind_tls(others: Others, scheme: str) -> str:
    return _listener(others, tls(others.certificate, others.qdrant.port), scheme)


def _qdrant(version: str, *, readyz: bool) -> Serve:
    """Return a Qdrant that tells its version, as far as it is asked."""
    title = {"title": "qdrant - vector search engine", "version": version}
    root, ready = http("200 OK", json.dumps(title)), http("200 OK" if readyz else "404 Not Found")
    return by_path({"/readyz": ready}, root)


CASES = table(
    Case(
        name="others-data",
        server=lambda others: others.qdrant,
        url=lambda others: others.qdrant.url,
        form="marker",
        seen=UNMARKED,
        hint="ragbed adopt 'http://",
        found=SUBSTITUTE,
    ),
    Case(
        name="no-key",
        server=lambda others: others.locked_qdrant,
        url=lambda others: others.locked_qdrant.url,
        seen="it needs an API key, and none was given with the address (HTTP 401)",
        hint="set QDRANT_API_KEY in the place where THE_URL is set",
    ),
    Case(
        name="wrong-key",
        server=lambda others: others.locked_qdrant,
        url=lambda others: others.locked_qdrant.url,
        environ={"QDRANT_API_KEY": "sesame-of-mine"},
        seen="it refuses the API key (HTTP 401)",
        hint="correct QDRANT_API_KEY",
    ),
    Case(
        name="reading-key",
        server=lambda others: others.locked_qdrant,
        url=lambda others: others.locked_qdrant.url,
        environ={"QDRANT_API_KEY": READING},
        seen="its API key may only read (HTTP 403)",
        hint="set QDRANT_API_KEY to a key that may write",
        found=SUBSTITUTE,
    ),
    Case(
        name="too-old",
        url=lambda others: _listener(others, _qdrant("1.9.2", readyz=True)),
        form="range",
        seen="qdrant 1.9.2: outside qdrant >=1.18,<1.21 or embedded-qdrant >=1.18,<1.21",
        hint="run a version in range, or unset THE_URL",
        found="qdrant 1.9.2 on port",
    ),
    Case(
        name="from-before-readyz",
        url=lambda others: _listener(others, _qdrant("0.11.7", readyz=False)),
        form="range",
        seen="qdrant 0.11.7: outside qdrant >=1.18,<1.21 or embedded-qdrant >=1.18,<1.21",
        hint="run a version in range, or unset THE_URL",
        found="qdrant 0.11.7 on port",
    ),
    Case(
        name="speaks-tls",
        server=lambda others: others.qdrant,
        url=lambda others: _behind_tls(others, "http"),
        seen="it speaks TLS, and the address does not",
        hint="begin the address in THE_URL with https://",
    ),
    Case(
        name="self-signed-certificate",
        server=lambda others: others.qdrant,
        url=lambda others: _behind_tls(others, "https"),
        seen="its TLS certificate is not trusted: self-signed certificate",
        hint="SSL_CERT_FILE=/path/to/ca.pem",
    ),
    Case(
        name="does-not-speak-tls",
        server=lambda others: others.qdrant,
        url=lambda others: others.qdrant.url.replace("http://", "https://"),
        seen="it does not speak TLS, and the address asks for it",
        hint="begin the address in THE_URL with http://",
    ),
    Case(
        name="redis",
        server=lambda others: others.redis,
        url=lambda others: f"http://127.0.0.1:{others.redis.port}",
        form="other",
        seen="it speaks the protocol of Redis",
        hint="correct THE_URL, or unset it",
    ),
    Case(
        name="postgres",
        server=lambda others: others.postgres,
        url=lambda others: f"http://127.0.0.1:{others.postgres.port}",
        form="other",
        seen="it speaks the protocol of PostgreSQL",
        hint="correct THE_URL, or unset it",
    ),
    Case(
        name="another-api",
        url=lambda others: _listener(others, http("404 Not Found", "{}")),
        form="other",
        seen="/ answers HTTP 404 and does not name Qdrant",
        hint="correct THE_URL, or unset it",
    ),
)


@pytest.mark.parametrize("case", CASES)
def test_given_by_url_it_is_refused_in_one_line(case: Case, others: Others, tmp_path: Path) -> None:
    """The line names the cause, the hint says what to type."""
    check_given("qdrant", case, others, tmp_path)


@pytest.mark.parametrize("case", CASES)
def test_on_its_default_port_it_is_passed_over_in_one_line(
    case: Case, others: Others, tmp_path: Path
) -> None:
    """The note names the cause."""
    check_found("qdrant", case, others, tmp_path, announced=False)


def test_an_adopted_qdrant_is_refused_with_a_key_that_may_only_read(others: Others, tmp_path: Path) -> None:
    """The marker lets the project in, and the key does not."""
    project = StateFolder(tmp_path / "state").project()
    owner = kind_of("qdrant").client(others.locked_qdrant.url, api_key=KEY)
    owner.let_in(project)
    try:
        with pytest.raises(ServiceNotReady, match="its API key may only read"):
            given(
                "qdrant",
                others.locked_qdrant.url,
                tmp_path,
                project=project,
                environ={"QDRANT_API_KEY": READING},
            )
    finally:
        owner.leave(project)


def test_an_answer_of_another_form_is_not_taken_for_a_marker(others: Others, tmp_path: Path) -> None:
    """What names itself Qdrant and answers something else about a collection is refused in one line."""
    title = {"title": "qdrant - vector search engine", "version": "1.19.1"}
    url = _listener(others, http("200 OK", json.dumps(title)))

    with pytest.raises(ServiceNotReady, match="its answer has no config, as Qdrant's has"):
        given("qdrant", url, tmp_path)
