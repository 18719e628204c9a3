"""The ten half-broken services at the command line: each command names the cause in one line, and changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from other_qdrant import READING
from other_sockets import closes_at_once, http, silent, tls

from ragbed_command import RagbedCommand

if TYPE_CHECKING:
    from collections.abc import Callable

    from others import Others


LOCAL = "127.0.0.1"
TEN: dict[str, tuple[Callable[[Others], dict[str, str]], str, int]] = {
    "version-out-of-range": (
        lambda others: {"QDRANT_URL": f"http://{LOCAL}:{others.listener(_old_qdrant()).port}"},
        "is qdrant 1.9.2: outside qdrant >=1.18,<1.21",
        10,
    ),
    "password-needed": (
        lambda others: {"REDIS_URL": others.locked_redis.url()},
        "it needs a password, and the address has none (NOAUTH)",
        10,
    ),
    "password-wrong": (
        lambda others: {"DATABASE_URL": others.postgres.url(password="sesame-of-mine")},
        "it refuses the password of owner",
        10,
    ),
    "tls": (
        lambda others: {"REDIS_URL": f"redis://{LOCAL}:{others.listener(_tls_redis(others)).port}/0"},
        "it speaks TLS, and the address does not",
        10,
    ),
    "wrong-service": (
        lambda others: {"QDRANT_URL": f"http://{LOCAL}:{others.redis.port}"},
        "it speaks the protocol of Redis",
        10,
    ),
    "read-only-user": (
        lambda others: {"DATABASE_URL": others.postgres.url("reader")},
        "its sessions of reader in theirs are read-only",
        10,
    ),
    "read-only-key": (
        lambda others: {"QDRANT_URL": others.locked_qdrant.url, "QDRANT_API_KEY": READING},
        "its API key may only read (HTTP 403)",
        10,
    ),
    "never-answers": (
        lambda others: {"OLLAMA_HOST": f"http://{LOCAL}:{others.listener(silent).port}"},
        "answer within",  # or as the doctor says it, whose own patience may end first on a busy machine
        10,
    ),
    "data-of-others": (
        lambda others: {"DATABASE_URL": others.postgres.url()},
        "does not carry ragbed's marker",
        13,
    ),
    "closes-at-once": (
        lambda others: {"OLLAMA_HOST": f"http://{LOCAL}:{others.listener(closes_at_once).port}"},
        "it closed the connection without an answer",
        10,
    ),
}
SEVERAL = (
    ("password-wrong", "password-needed", "version-out-of-range", "never-answers"),
    ("read-only-user", "tls", "wrong-service", "closes-at-once"),
    ("data-of-others", "read-only-key"),
)
"""All ten, one for each service at a time: commands that show every service tell of each."""


def _old_qdrant() -> Any:
    return http("200 OK", '{"title": "qdrant - vector search engine", "version": "1.9.2"}')


def _tls_redis(others: Others) -> Any:
    return tls(others.certificate, others.redis.port)


@pytest.fixture(scope="module")
def attached(ragbed_up: RagbedCommand, tmp_path_factory: pytest.TempPathFactory) -> RagbedCommand:
    """A project that has adopted servers that are right, so that what a test breaks is all that is wrong."""
    urls = ragbed_up.urls()
    folder = tmp_path_factory.mktemp("attached")
    command = RagbedCommand(state=folder / "state", folder=folder, environ=urls)
    stores = [url for variable, url in urls.items() if variable != "OLLAMA_HOST"]
    done = command.run("adopt", "--yes", *stores)
    assert done.returncode == 0, done.stderr
    (folder / "docs").mkdir()
    (folder / "docs" / "one.md").write_text("# One\n\nA document.\n")
    return command


@pytest.mark.parametrize("name", TEN)
def test_up_ends_with_one_line_that_names_the_cause(
    name: str, attached: RagbedCommand, others: Others
) -> None:
    """One line, one hint, the exit code; no secret, no process, nothing changed."""
    _ends_with_one_line(name, ("up", "-d"), attached, others)


@pytest.mark.parametrize("words", [("smoke",), ("ingest", "docs")], ids=["smoke", "ingest"])
@pytest.mark.parametrize("name", ["password-wrong", "data-of-others", "closes-at-once"])
def test_smoke_and_ingest_end_with_the_same_line(
    name: str, words: tuple[str, ...], attached: RagbedCommand, others: Others
) -> None:
    """They look for services as `up` does."""
    _ends_with_one_line(name, words, attached, others)


def _ends_with_one_line(name: str, words: tuple[str, ...], attached: RagbedCommand, others: Others) -> None:
    make, cause, code = TEN[name]
    environ = make(others)
    before = _census(others)

    done = attached.run(*words, **environ)

    errors = [line for line in done.stderr.splitlines() if line.startswith("ragbed")]
    assert [cause in line for line in errors if cause in line or "failed" in line] == [True], done.stderr
    assert [line.startswith("try: ") for line in done.stderr.splitlines()].count(True) == 1
    assert done.returncode == code
    assert "sesame" not in done.stdout + done.stderr
    assert not list((attached.state / "leases").glob("*.json"))
    assert _census(others) == before


@pytest.mark.parametrize("command", ["doctor", "status"])
@pytest.mark.parametrize("names", SEVERAL, ids="+".join)
def test_doctor_and_status_tell_of_each_service_in_one_line(
    names: tuple[str, ...], command: str, attached: RagbedCommand, others: Others
) -> None:
    """Several services are of no use at once: a line for each, and nothing changed."""
    environ = {key: value for name in names for key, value in TEN[name][0](others).items()}
    before = _census(others)

    done = attached.run(command, **environ)

    told = (done.stdout + done.stderr).splitlines()
    assert {name: len([line for line in told if TEN[name][1] in line]) for name in names} == dict.fromkeys(
        names, 1
    )
    assert "sesame" not in done.stdout + done.stderr
    assert _census(others) == before


def _census(others: Others) -> dict[str, object]:
    """Return what is in every server of others that runs."""
    names = ("postgres", "redis", "locked_redis", "qdrant", "locked_qdrant")
    return {name: vars(others)[name].census() for name in names if name in vars(others)}
