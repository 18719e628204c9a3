"""What listens in a service's place and is none of the four: silent, closing, garbage, another protocol."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from attach_cases import Case, check_found, check_given, given
from other_sockets import answers, by_first_bytes, closes_at_once, endless, greets, silent

from ragbed.errors import ServiceMissing, ServiceNotReady
from ragbed.stack.services import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from other_sockets import Serve
    from others import Others

ADDRESSES = {
    "postgres": "postgresql://u:sesame@{}:{}/x",
    "redis": "redis://:sesame@{}:{}/0",
    "qdrant": "http://{}:{}",
    "ollama": "http://{}:{}",
}
MYSQL = b"J\0\0\0\n8.0.33\0"
LISTENERS: dict[str, tuple[Serve, str]] = {
    "closes-at-once": (closes_at_once, "it closed the connection without an answer"),
    "garbage": (answers(b"garbage\r\n"), "it answers b'garbage\\r\\n', which is not "),
    "mail": (greets(b"220 mail.example ESMTP\r\n"), "it speaks SMTP or FTP"),
    "mysql": (greets(MYSQL), "it speaks the protocol of MySQL or MariaDB"),
    "ssh": (greets(b"SSH-2.0-OpenSSH_9.2\r\n"), "it speaks SSH"),
}
PROTOCOLS = {
    "postgres": "the protocol of PostgreSQL",
    "redis": "the protocol of Redis",
    "qdrant": "HTTP",
    "ollama": "HTTP",
}


def _case(service: str, name: str, serve: Serve, seen: str) -> Case:
    return Case(
        name=name,
        url=lambda others: ADDRESSES[service].format("127.0.0.1", others.listener(serve).port),
        form="silent" if serve in {closes_at_once, silent} else "other",
        seen=f"{seen}{PROTOCOLS[service]}" if name.startswith("garbage") else seen,
        hint="unset",
    )


@pytest.mark.parametrize("name", LISTENERS)
@pytest.mark.parametrize("service", ADDRESSES)
def test_what_listens_in_its_place_is_named(service: str, name: str, others: Others, tmp_path: Path) -> None:
    """Given by URL and on the default port, the line says what it does, or speaks."""
    serve, seen = LISTENERS[name]
    case = _case(service, name, serve, seen)

    check_given(service, case, others, tmp_path)
    check_found(service, case, others, tmp_path, announced=False)


@pytest.mark.parametrize("service", ADDRESSES)
def test_one_that_accepts_and_never_answers_is_told(service: str, others: Others, tmp_path: Path) -> None:
    """It is waited for as long as the line says, and no longer for its silence at a second look."""
    case = _case(service, "silent", silent, "it accepts connections, and sends no answer within 5 s")

    check_given(service, case, others, tmp_path)


@pytest.mark.parametrize("service", ADDRESSES)
def test_one_that_accepts_and_never_answers_is_passed_over(
    service: str, others: Others, tmp_path: Path
) -> None:
    """On the default port, a second is enough."""
    case = _case(service, "silent", silent, "it accepts connections, and sends no answer within 1 s")

    check_found(service, case, others, tmp_path, announced=False)


def test_a_server_that_has_hung_is_not_taken_for_another_one(others: Others, tmp_path: Path) -> None:
    """It still refuses what is not HTTP, at a second look, and so it speaks HTTP: what it does not do is answer."""
    refuses = answers(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    hung = by_first_bytes({b"GET": silent}, refuses)
    case = _case("ollama", "hung", silent, "it accepts connections, and sends no answer within 1 s")
    case = replace(
        case, url=lambda others: ADDRESSES["ollama"].format("127.0.0.1", others.listener(hung).port)
    )

    check_found("ollama", case, others, tmp_path, announced=True)


@pytest.mark.parametrize("service", ["qdrant", "ollama"])
def test_an_answer_without_an_end_is_told(service: str, others: Others, tmp_path: Path) -> None:
    """A server that streams events to all who ask keeps no command waiting for ever."""
    path = {"qdrant": "/", "ollama": "/api/version"}[service]
    port = others.listener(endless).port

    with pytest.raises(ServiceNotReady, match=f"it answers {path} with a stream that has no end"):
        given(service, ADDRESSES[service].format("127.0.0.1", port), tmp_path)


@pytest.mark.parametrize("service", ADDRESSES)
def test_one_at_the_other_address_of_this_machine_is_pointed_to(
    service: str, others: Others, tmp_path: Path
) -> None:
    """A server of IPv6 alone, asked at 127.0.0.1: the line says where something listens."""
    try:
        port = others.listener(silent, host="::1").port
    except OSError as error:
        pytest.skip(f"this machine has no IPv6: {error}")

    with pytest.raises(ServiceMissing) as caught:
        given(service, ADDRESSES[service].format("127.0.0.1", port), tmp_path)

    assert caught.value.message.endswith(f"nothing listens there; something does at [::1]:{port}")
    assert caught.value.hint == f"if that is the one, write [::1]:{port} into THE_URL"


@pytest.mark.parametrize("service", ADDRESSES)
def test_nothing_there_is_told_as_that(service: str, tmp_path: Path) -> None:
    """Without the system's number for it."""
    with pytest.raises(ServiceMissing, match=r"which THE_URL names: nothing listens there$"):
        given(service, ADDRESSES[service].format("127.0.0.1", free_port()), tmp_path)


def test_a_host_that_has_no_address_is_named(tmp_path: Path) -> None:
    """A name of an allowed test machine, spelt wrong."""
    environ = {"RAGBED_GUARD__ALLOWED_HOSTS": "absent.invalid"}

    with pytest.raises(ServiceMissing, match="no address is known for the host absent"):
        given("redis", "redis://absent.invalid:6379/0", tmp_path, environ=environ)
