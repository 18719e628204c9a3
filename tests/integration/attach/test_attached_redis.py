"""A Redis of others that is of no use as it is: the line that says why, and nothing of theirs changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from attach_cases import UNMARKED, Case, check_found, check_given, found, given, table
from other_redis import SECRET
from other_sockets import answers, http, tls

from ragbed.errors import ServiceNotReady
from ragbed.stack.registry import kind_of
from ragbed.stack.skipped_services import Skipped
from ragbed.state import StateFolder

if TYPE_CHECKING:
    from pathlib import Path

    from other_sockets import Serve
    from others import Others


def _listener(others: Others, serve: Serve) -> str:
    return f"redis://127.0.0.1:{others.listener(serve).port}/0"


def _behind_tls(others: Others, scheme: str, *, wants_certificate: bool = False) -> str:
    front = tls(others.certificate, others.redis.port, wants_certificate=wants_certificate)
    return f"{scheme}://127.0.0.1:{others.listener(front).port}/0"


def _user(name: str) -> dict[str, object]:
    return {
        "name": f"user-{name}",
        "server": lambda others: others.redis,
        "url": lambda others: others.redis.url(name, SECRET),
    }


def _info(**fields: str) -> Serve:
    text = "".join(f"{name}:{value}\r\n" for name, value in fields.items())
    return answers(f"${len(text)}\r\n{text}\r\n".encode())


CASES = table(
    Case(
        name="no-password",
        server=lambda others: others.locked_redis,
        url=lambda others: others.locked_redis.url(),
        seen="it needs a password, and the address has none (NOAUTH)",
        hint="write it into THE_URL: redis://:PASSWORD@host:port/0",
    ),
    Case(
        name="wrong-password",
        server=lambda others: others.locked_redis,
        url=lambda others: others.locked_redis.url(password="sesame-of-mine"),
        seen="it refuses the user name or the password (WRONGPASS)",
        hint="put the right password into THE_URL",
    ),
    Case(
        name="needless-password",
        server=lambda others: others.redis,
        url=lambda others: others.redis.url(password="sesame-of-mine"),
        seen="it has no password, and the address has one (ERR AUTH <password> called without any password"
        " configured for the default user.)",
        hint="take the password out of THE_URL",
    ),
    Case(
        name="others-data",
        server=lambda others: others.redis,
        url=lambda others: others.redis.url(),
        form="marker",
        seen=UNMARKED,
        hint="ragbed adopt 'redis://",
    ),
    Case(
        **_user("reader"),  # type: ignore[arg-type]
        seen="its user reader may not write: it may not run SET (NOPERM)",
        hint="ACL SETUSER reader +set",
        found=UNMARKED,
    ),
    Case(
        **_user("unlisted"),  # type: ignore[arg-type]
        seen="its user unlisted may not run SCAN (NOPERM)",
        hint="ACL SETUSER unlisted +scan",
        found=UNMARKED,
    ),
    Case(
        **_user("elsewhere"),  # type: ignore[arg-type]
        seen="its user elsewhere may not touch the keys ragbed:* (NOPERM)",
        hint="ACL SETUSER elsewhere ~ragbed:*",
    ),
    Case(
        **_user("blind"),  # type: ignore[arg-type]
        seen="its user blind may not run INFO (NOPERM)",
        hint="ACL SETUSER blind +info",
    ),
    Case(
        name="no-such-database",
        server=lambda others: others.redis,
        url=lambda others: others.redis.url(database="99"),
        seen="it has no database of that number (ERR DB index is out of range)",
        hint="correct the number",
    ),
    Case(
        name="replica",
        server=lambda others: others.replica,
        url=lambda others: others.replica.url(),
        seen="it is a read-only replica (READONLY)",
        hint="name its primary in THE_URL",
        found=UNMARKED,
    ),
    Case(
        name="memory-full",
        server=lambda others: others.full_redis,
        url=lambda others: others.full_redis.url(),
        seen="it refuses writes, since its memory is full (maxmemory) (OOM)",
        hint="raise its maxmemory",
        found=UNMARKED,
    ),
    Case(
        name="replicas-missing",
        server=lambda others: others.lonely_redis,
        url=lambda others: others.lonely_redis.url(),
        seen="it refuses writes, since too few of its replicas are up (NOREPLICAS)",
        hint="start its replicas",
        found=UNMARKED,
    ),
    Case(
        name="cluster",
        server=lambda others: others.cluster_redis,
        url=lambda others: others.cluster_redis.url(),
        seen="it is a cluster, which ragbed does not use",
        hint="name a server that is not a cluster in THE_URL",
    ),
    Case(
        name="sentinel",
        url=lambda others: _listener(others, _info(redis_version="7.2.4", redis_mode="sentinel")),
        seen="it is a sentinel, which ragbed does not use",
        hint="name a server that is not a sentinel in THE_URL",
    ),
    Case(
        name="too-old",
        url=lambda others: _listener(others, _info(redis_version="6.0.16")),
        form="range",
        seen="redis 6.0.16: outside redis >=7.2,<9 or valkey >=8,<10",
        hint="run a version in range, or unset THE_URL",
        found="is outside redis >=7.2,<9 or valkey >=8,<10",
    ),
    Case(
        name="protected-mode",
        url=lambda others: _listener(others, answers(b"-DENIED Redis is running in protected mode\r\n")),
        seen="it runs in protected mode, and takes clients of its own machine only (DENIED)",
        hint="give it a password",
    ),
    Case(
        name="no-connection-left",
        url=lambda others: _listener(others, answers(b"-ERR max number of clients reached\r\n")),
        seen="it has no connection left (maxclients) (ERR max number of clients reached)",
        hint="end some clients",
    ),
    Case(
        name="loading",
        url=lambda others: _listener(others, answers(b"-LOADING Redis is loading the dataset in memory\r\n")),
        form="silent",
        seen="it still loads its data (LOADING)",
        hint="start it, or unset THE_URL",
    ),
    Case(
        name="speaks-tls",
        server=lambda others: others.redis,
        url=lambda others: _behind_tls(others, "redis"),
        seen="it speaks TLS, and the address does not",
        hint="begin the address in THE_URL with rediss://",
    ),
    Case(
        name="does-not-speak-tls",
        server=lambda others: others.redis,
        url=lambda others: others.redis.url().replace("redis://", "rediss://"),
        seen="it does not speak TLS, and the address asks for it",
        hint="begin the address in THE_URL with redis://",
    ),
    Case(
        name="self-signed-certificate",
        server=lambda others: others.redis,
        url=lambda others: _behind_tls(others, "rediss"),
        seen="its TLS certificate is not trusted: self-signed certificate",
        hint="SSL_CERT_FILE=/path/to/ca.pem",
    ),
    Case(
        name="http",
        url=lambda others: _listener(others, http("404 Not Found", "{}")),
        form="other",
        seen="it speaks HTTP",
        hint="correct THE_URL, or unset it",
    ),
    Case(
        name="postgres",
        server=lambda others: others.postgres,
        url=lambda others: f"redis://127.0.0.1:{others.postgres.port}/0",
        form="other",
        seen="it speaks the protocol of PostgreSQL",
        hint="correct THE_URL, or unset it",
    ),
    Case(
        name="half-a-reply",
        url=lambda others: _listener(others, answers(b"$x\r\n")),
        form="other",
        seen="it answers b'$x\\r\\n', which is not the protocol of Redis",
        hint="correct THE_URL, or unset it",
    ),
)


@pytest.mark.parametrize("case", CASES)
def test_given_by_url_it_is_refused_in_one_line(case: Case, others: Others, tmp_path: Path) -> None:
    """The line names the cause, the hint says what to type."""
    check_given("redis", case, others, tmp_path)


@pytest.mark.parametrize("announced", [False, True], ids=["default-port", "announced"])
@pytest.mark.parametrize("case", CASES)
def test_found_running_it_is_passed_over_in_one_line(
    case: Case, others: Others, tmp_path: Path, announced: bool
) -> None:
    """The note names the cause."""
    check_found("redis", case, others, tmp_path, announced=announced)


def test_a_client_certificate_that_is_asked_for_is_told(
    others: Others, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trusted server that wants to know the client is told apart from one that is not trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", str(others.certificate))
    url = _behind_tls(others, "rediss", wants_certificate=True)

    with pytest.raises(ServiceNotReady, match="it asks for a client certificate, and ragbed sends none"):
        given("redis", url, tmp_path)


@pytest.mark.parametrize("user", ["reader", "unlisted"])
def test_an_adopted_redis_with_too_few_rights_is_told(others: Others, tmp_path: Path, user: str) -> None:
    """The marker lets the project in, and the user's rights do not: found running, it is passed over for that."""
    project = StateFolder(tmp_path / "state").project()
    owner = kind_of("redis").client(others.redis.url())
    owner.let_in(project)
    try:
        skipped = found("redis", others.redis.url(user, SECRET), tmp_path, announced=False, project=project)
    finally:
        owner.leave(project)

    assert isinstance(skipped, Skipped)
    assert f"cannot be used: its user {user} may not" in skipped.note


def test_looking_whether_it_may_be_written_to_changes_nothing(others: Others) -> None:
    """Commands are queued and discarded, or never done: no key comes or goes, and the count of changes stays."""
    before = others.redis.census()

    kind_of("redis").client(others.redis.url()).require_writable()

    assert others.redis.census() == before
