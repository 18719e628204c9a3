"""An Ollama of others, or what stands in its place, that is of no use as it is: the line that says why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from attach_cases import Case, check_found, check_given, found, given, table
from other_sockets import by_path, http

from ragbed.errors import RagbedError, ServiceMissing
from ragbed.stack.skipped_services import Skipped

if TYPE_CHECKING:
    from pathlib import Path

    from other_sockets import Serve
    from others import Others

UNSET = "correct THE_URL, or unset it"
PAGE = "<!doctype html><title>Sign in</title>"


def _listener(others: Others, serve: Serve) -> str:
    return f"http://127.0.0.1:{others.listener(serve).port}"


def _ollama(version: str, *models: str) -> Serve:
    """Return an Ollama that has these models, as far as it is asked."""
    tags = json.dumps({"models": [{"name": name, "digest": "0" * 64} for name in models]})
    named = json.dumps({"version": version})
    return by_path({"/api/tags": http("200 OK", tags)}, http("200 OK", named))


def _other(name: str, serve: Serve, seen: str, hint: str = UNSET, *, at_port: str = "") -> Case:
    return Case(
        name=name,
        url=lambda others: _listener(others, serve),
        form="other",
        seen=seen,
        hint=hint,
        found=at_port or seen,
    )


CASES = table(
    _other(
        "proxy-that-asks-for-a-login",
        http("401 Unauthorized", PAGE, WWW_Authenticate="Basic"),
        "/api/version asks for a login (HTTP 401), as a proxy in front of it does",
        "write the address of the server itself into THE_URL",
    ),
    _other("proxy-with-a-page", http("200 OK", PAGE), "/api/version answers with a web page (HTTP 200)"),
    _other(
        "proxy-without-a-server",
        http("502 Bad Gateway", PAGE),
        "/api/version answers HTTP 502, as a proxy does whose server is down",
        at_port="/api/version answers 502",
    ),
    _other(
        "redirection",
        http("307 Temporary Redirect", Location="http://u:sesame@127.0.0.1:8443/api/version"),
        "/api/version redirects to http://u:***@127.0.0.1:8443 (HTTP 307)",
        "if that is the one, write http://u:***@127.0.0.1:8443 into THE_URL",
    ),
    _other(
        "redirection-beside",
        http("301 Moved Permanently", Location="/login"),
        "/api/version redirects to http://127.0.0.1:",
    ),
    _other(
        "tls-behind-plain-words",
        http("400 Bad Request", "Client sent an HTTP request to an HTTPS server."),
        "it speaks TLS, and the address does not",
        "begin the address in THE_URL with https://",
    ),
    _other("another-api", http("404 Not Found", "{}"), "/api/version answers HTTP 404 and names no version"),
    Case(
        name="too-old",
        url=lambda others: _listener(others, _ollama("0.9.1")),
        form="range",
        seen="ollama 0.9.1: outside ollama >=0.24,<0.35 or mock-llm >=0.24,<0.35",
        hint="run a version in range, or unset THE_URL",
        found="ollama 0.9.1 on port",
    ),
)


@pytest.mark.parametrize("case", [one for one in CASES if one.id != "redirection-beside"])
def test_given_by_url_it_is_refused_in_one_line(case: Case, others: Others, tmp_path: Path) -> None:
    """The line names the cause, the hint says what to type."""
    check_given("ollama", case, others, tmp_path)


@pytest.mark.parametrize("announced", [False, True], ids=["default-port", "announced"])
@pytest.mark.parametrize("case", CASES)
def test_found_running_it_is_passed_over_in_one_line(
    case: Case, others: Others, tmp_path: Path, announced: bool
) -> None:
    """The note names the cause."""
    check_found("ollama", case, others, tmp_path, announced=announced)


def test_models_that_are_missing_are_named_with_the_command_that_fetches_them(
    others: Others, tmp_path: Path
) -> None:
    """A server without the models is told from one that is not Ollama."""
    url = _listener(others, _ollama("0.30.7", "another:latest"))
    wanted = ["wanted:latest"]

    with pytest.raises(ServiceMissing) as caught:
        given("ollama", url, tmp_path, models=wanted)
    skipped = found("ollama", url, tmp_path, announced=True, models=wanted)

    assert caught.value.message == "the Ollama that THE_URL names has no wanted:latest"
    assert caught.value.hint == "ragbed models fetch --model wanted:latest"
    assert isinstance(skipped, Skipped)
    assert "has no wanted:latest: passed over" in skipped.note


def test_a_redirection_is_not_followed(others: Others, tmp_path: Path) -> None:
    """Where it leads to, no connection is made: a key or a document would go with it."""
    target = others.listener(http("200 OK", "{}"))
    moved = http("307 Temporary Redirect", Location=f"http://127.0.0.1:{target.port}/api/version")

    with pytest.raises(RagbedError, match=f"redirects to http://127.0.0.1:{target.port}"):
        given("ollama", _listener(others, moved), tmp_path)

    assert target.connections == 0
