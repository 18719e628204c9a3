"""Attaching by URL: the service proves itself, or the failure says what is there instead."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from ragbed.errors import ServiceMissing, ServiceNotReady
from ragbed.pins import load_stack_pins
from ragbed.settings import resolve_settings
from ragbed.stack.attaching import attach_given
from ragbed.stack.services import free_port
from ragbed.state import StateFolder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ragbed.stack.endpoint import Endpoint
    from ragbed.state import ProjectIdentity
    from ragbed_command import RagbedCommand

SCHEMES = {"postgres": "postgresql", "redis": "redis", "qdrant": "http", "ollama": "http"}
HTTP = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"


@contextmanager
def answering(answer: bytes) -> Iterator[int]:
    """Listen on a free port, and answer whatever comes with the same bytes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.settimeout(2)
                    try:
                        while connection.recv(4096):
                            connection.sendall(answer)
                    except OSError:
                        continue

        thread = Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            thread.join()


def bulk(text: str) -> bytes:
    """Return a text as Redis sends it."""
    return f"${len(text)}\r\n{text}\r\n".encode()


def attach(
    service: str,
    url: str,
    folder: Path,
    models: Sequence[str] = (),
    *,
    project: ProjectIdentity | None = None,
) -> Endpoint:
    """Attach to the service at a URL that a variable names."""
    return attach_given(
        service,
        url,
        named="THE_URL",
        pins=load_stack_pins()[service],
        settings=resolve_settings(folder=folder, environ={}),
        project=project,
        models=models,
    )


def project(command: RagbedCommand) -> ProjectIdentity:
    """Return whose stack it is: its stores let this project in."""
    return StateFolder(command.state).project()


@pytest.mark.parametrize("service", SCHEMES)
def test_nothing_there_is_a_missing_service(service: str, tmp_path: Path) -> None:
    """The message names service, address and variable, and both ways out; it is never replaced."""
    with pytest.raises(ServiceMissing, match=f"{service} does not answer at") as caught:
        attach(service, f"{SCHEMES[service]}://127.0.0.1:{free_port()}", tmp_path)

    assert "which THE_URL names" in caught.value.message
    assert caught.value.hint == "start it, or unset THE_URL to let ragbed start one"


@pytest.mark.parametrize(
    ("service", "answer"),
    [
        pytest.param("redis", HTTP, id="http-for-redis"),
        pytest.param("redis", b"garbage\r\n", id="garbage-for-redis"),
        pytest.param("redis", bulk("role:master"), id="redis-without-version"),
        pytest.param("qdrant", HTTP, id="another-api-for-qdrant"),
        pytest.param("qdrant", b"+PONG\r\n", id="redis-for-qdrant"),
        pytest.param("ollama", HTTP, id="another-api-for-ollama"),
    ],
)
def test_another_service_there_is_named_as_unusable(service: str, answer: bytes, tmp_path: Path) -> None:
    """Whoever answers in another way is not taken for the service."""
    with (
        answering(answer) as port,
        pytest.raises(ServiceNotReady, match=f"is not {service}: ") as caught,
    ):
        attach(service, f"{SCHEMES[service]}://127.0.0.1:{port}", tmp_path)

    assert "correct THE_URL" in caught.value.hint


def test_something_else_on_postgres_port_does_not_pass(tmp_path: Path) -> None:
    """What answers Postgres's greeting with HTTP is not attached to."""
    with answering(HTTP) as port, pytest.raises(ServiceMissing, match="THE_URL"):
        attach("postgres", f"postgresql://me:secret@127.0.0.1:{port}/x", tmp_path)


@pytest.mark.parametrize(
    ("info", "said"),
    [
        pytest.param("redis_version:6.0.16\r\n", "redis 6.0.16", id="redis-too-old"),
        pytest.param("redis_version:9.0.0\r\n", "redis 9.0.0", id="redis-too-new"),
        pytest.param(
            "redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:7.2.4\r\n",
            "valkey 7.2.4",
            id="valkey",
        ),
    ],
)
def test_a_version_out_of_range_is_refused(info: str, said: str, tmp_path: Path) -> None:
    """Product and version found, and the accepted ranges, are in the message."""
    with answering(bulk(info)) as port, pytest.raises(ServiceNotReady) as caught:
        attach("redis", f"redis://127.0.0.1:{port}", tmp_path)

    assert f"is {said}: outside redis >=7.2,<9 or valkey >=8,<10" in caught.value.message


def test_a_missing_model_is_named_with_the_command_that_fetches_it(
    ragbed_up: RagbedCommand, tmp_path: Path
) -> None:
    """The models that are there are told too."""
    with pytest.raises(ServiceMissing, match="has no nosuch:latest") as caught:
        attach("ollama", ragbed_up.urls()["OLLAMA_HOST"], tmp_path, models=["nosuch:latest"])

    assert caught.value.hint == "ragbed models fetch --model nosuch:latest"
    assert caught.value.details[0].startswith("it has: ")


@pytest.mark.parametrize(
    ("form", "service"),
    [
        ("127.0.0.1:{}", "ollama"),
        (":{}", "ollama"),
        ("0.0.0.0:{}", "ollama"),
        ("http://localhost:{}/", "ollama"),
    ],
)
def test_an_attached_mock_is_found_in_any_form_and_is_not_real(
    form: str, service: str, ragbed_up: RagbedCommand, tmp_path: Path
) -> None:
    """Every form of OLLAMA_HOST leads to the same server, which says on the wire what it is."""
    port = ragbed_up.urls()["OLLAMA_HOST"].rpartition(":")[2]

    endpoint = attach(service, form.format(port), tmp_path)

    assert (endpoint.product, endpoint.real, endpoint.launcher) == ("mock-llm", False, "attach")


def test_an_attached_postgres_is_real_and_not_ours_to_stop(ragbed_up: RagbedCommand, tmp_path: Path) -> None:
    """An attached service has no process of ours."""
    endpoint = attach("postgres", ragbed_up.urls()["DATABASE_URL"], tmp_path, project=project(ragbed_up))

    assert (endpoint.product, endpoint.real, endpoint.pid) == ("postgres", True, None)


def test_a_wrong_password_is_clear_and_not_shown(ragbed_up: RagbedCommand, tmp_path: Path) -> None:
    """Postgres refuses the password: the message says so without it."""
    port = ragbed_up.urls()["DATABASE_URL"].partition("@")[2]
    url = f"postgresql://ragbed:sesame@{port}"

    with pytest.raises(ServiceNotReady, match="authentication failed") as caught:
        attach("postgres", url, tmp_path)

    assert "sesame" not in caught.value.render()


def test_a_drivers_scheme_is_understood(ragbed_up: RagbedCommand, tmp_path: Path) -> None:
    """postgresql+psycopg:// is Postgres, and the endpoint has the plain form that every client reads."""
    url = ragbed_up.urls()["DATABASE_URL"]

    endpoint = attach("postgres", url.replace("://", "+psycopg://", 1), tmp_path, project=project(ragbed_up))

    assert endpoint.url == url
