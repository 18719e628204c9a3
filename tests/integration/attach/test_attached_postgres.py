"""A Postgres of others that is of no use as it is: the line that says why, and nothing of theirs changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from attach_cases import UNMARKED, Case, check_found, check_given, found, given, table
from other_sockets import half_tls, http, postgres_refuses, tls

from ragbed.errors import ExitCode, ServiceNotReady
from ragbed.stack.endpoint import Endpoint
from ragbed.stack.registry import kind_of
from ragbed.stack.skipped_services import Skipped
from ragbed.state import StateFolder

if TYPE_CHECKING:
    from pathlib import Path

    from other_sockets import Serve
    from others import Others

    from ragbed_command import RagbedCommand

TO = "postgresql://u:sesame@127.0.0.1:{}/x"


def _listener(others: Others, serve: Serve) -> str:
    return TO.format(others.listener(serve).port)


def _behind_tls(others: Others, options: str) -> str:
    front = others.listener(tls(others.certificate, others.postgres.port, postgres=True))
    return others.postgres.url().replace(str(others.postgres.port), str(front.port)) + options


CASES = table(
    Case(
        name="wrong-password",
        server=lambda others: others.postgres,
        url=lambda others: others.postgres.url(password="sesame-of-mine"),
        seen='it refuses the password of owner (password authentication failed for user "owner")',
        hint="put the right password into THE_URL",
    ),
    Case(
        name="wrong-md5-password",
        server=lambda others: others.postgres,
        url=lambda others: others.postgres.url("legacy", "sesame-of-mine"),
        seen='it refuses the password of legacy (password authentication failed for user "legacy")',
        hint="put the right password into THE_URL",
    ),
    Case(
        name="no-password",
        server=lambda others: others.postgres,
        url=lambda others: others.postgres.url(password=""),
        seen="it needs a password, and the address has none (no password supplied)",
        hint="write it into THE_URL: postgresql://USER:PASSWORD@host:port/database",
    ),
    Case(
        name="others-data",
        server=lambda others: others.postgres,
        url=lambda others: others.postgres.url(),
        form="marker",
        seen=UNMARKED,
        hint="ragbed adopt",
    ),
    Case(
        name="read-only-sessions",
        server=lambda others: others.postgres,
        url=lambda others: others.postgres.url("reader"),
        seen="its sessions of reader in theirs are read-only (default_transaction_read_only)",
        hint="name a user who may write in THE_URL",
        found=UNMARKED,
    ),
    Case(
        name="no-right-to-create",
        server=lambda others: others.postgres,
        url=lambda others: others.postgres.url("guest"),
        seen="guest may not create schemas in the database theirs",
        hint="GRANT CREATE ON DATABASE theirs TO guest",
        found=UNMARKED,
    ),
    Case(
        name="standby",
        server=lambda others: others.standby,
        url=lambda others: others.standby.url(database="postgres"),
        seen="it is a standby, which is read-only",
        hint="name its primary in THE_URL",
        found=UNMARKED,
    ),
    Case(
        name="another-encoding",
        server=lambda others: others.postgres,
        url=lambda others: others.postgres.url(database="ascii"),
        seen="its database ascii keeps text as SQL_ASCII, which has no place for every character",
        hint="createdb -E UTF8 -T template0",
        found=UNMARKED,
    ),
    Case(
        name="limited-user",
        server=lambda others: others.postgres,
        url=lambda others: others.postgres.url("limited"),
        seen='it has no connection left for limited (too many connections for role "limited")',
        hint="raise max_connections",
    ),
    Case(
        name="max-connections",
        url=lambda others: others.full_postgres.url("guest"),
        seen="it has no connection left for guest"
        " (remaining connection slots are reserved for roles with the SUPERUSER attribute)",
        hint="end some clients",
    ),
    Case(
        name="pg-hba-rejects",
        server=lambda others: others.postgres,
        url=lambda others: others.postgres.url("rejected"),
        seen="its pg_hba.conf does not let rejected in (pg_hba.conf rejects connection for host"
        ' "127.0.0.1", user "rejected", database "theirs", no encryption)',
        hint="pg_hba.conf",
    ),
    Case(
        name="pg-hba-has-no-line",
        server=lambda others: others.postgres,
        url=lambda others: others.postgres.url("stranger"),
        seen="its pg_hba.conf does not let stranger in (no pg_hba.conf entry for host"
        ' "127.0.0.1", user "stranger", database "theirs", no encryption)',
        hint="pg_hba.conf",
    ),
    Case(
        name="no-such-database",
        server=lambda others: others.postgres,
        url=lambda others: others.postgres.url(database="absent"),
        seen='it has no database absent (database "absent" does not exist)',
        hint="createdb absent",
    ),
    Case(
        name="database-of-others",
        server=lambda others: others.postgres,
        url=lambda others: others.postgres.url("guest", database="private"),
        seen='guest may not connect to the database private (permission denied for database "private"'
        " DETAIL: User does not have CONNECT privilege.)",
        hint="GRANT CONNECT",
    ),
    Case(
        name="without-tls",
        server=lambda others: others.postgres,
        url=lambda others: others.postgres.url() + "?sslmode=require",
        seen="it does not speak TLS, and the address asks for it (sslmode)",
        hint="take sslmode out of THE_URL",
    ),
    Case(
        name="self-signed-certificate",
        server=lambda others: others.postgres,
        url=lambda others: _behind_tls(others, "?sslmode=verify-full"),
        seen="its TLS certificate is not trusted",
        hint="sslrootcert=/path/to/ca.pem",
    ),
    Case(
        name="tls-only",
        url=lambda others: (
            _listener(others, postgres_refuses("28000", _NO_ENTRY, tls=b"S")) + "?sslmode=disable"
        ),
        seen="it takes encrypted connections only",
        hint="?sslmode=require",
    ),
    Case(
        name="half-of-a-handshake",
        url=lambda others: _listener(others, half_tls),
        form="other",
        seen="it begins TLS, and breaks off the handshake",
        hint="correct THE_URL, or unset it",
    ),
    Case(
        name="another-language",
        url=lambda others: _listener(others, postgres_refuses("28000", "Zugriff verweigert")),
        seen="its pg_hba.conf does not let u in (Zugriff verweigert)",
        hint="pg_hba.conf",
    ),
    Case(
        name="no-such-user",
        url=lambda others: _listener(others, postgres_refuses("28000", 'role "u" does not exist')),
        seen='it has no user u (role "u" does not exist)',
        hint="createuser, or name another user in THE_URL",
    ),
    Case(
        name="starting-up",
        url=lambda others: _listener(others, postgres_refuses("57P03", "the database system is starting up")),
        form="silent",
        seen="it does not take connections yet: the database system is starting up",
        hint="start it, or unset THE_URL",
    ),
    Case(
        name="http",
        url=lambda others: _listener(others, http("404 Not Found", "{}")),
        form="other",
        seen="it speaks HTTP",
        hint="correct THE_URL, or unset it",
    ),
    Case(
        name="redis",
        server=lambda others: others.redis,
        url=lambda others: TO.format(others.redis.port),
        form="other",
        seen="it speaks the protocol of Redis",
        hint="correct THE_URL, or unset it",
    ),
)
_NO_ENTRY = 'no pg_hba.conf entry for host "127.0.0.1", user "u", database "x", no encryption'


@pytest.mark.parametrize("case", CASES)
def test_given_by_url_it_is_refused_in_one_line(case: Case, others: Others, tmp_path: Path) -> None:
    """The line names the cause, the hint says what to type."""
    check_given("postgres", case, others, tmp_path)


@pytest.mark.parametrize("announced", [False, True], ids=["default-port", "announced"])
@pytest.mark.parametrize("case", CASES)
def test_found_running_it_is_passed_over_in_one_line(
    case: Case, others: Others, tmp_path: Path, announced: bool
) -> None:
    """The note names the cause."""
    check_found("postgres", case, others, tmp_path, announced=announced)


def test_the_documented_password_does_not_open_a_postgres_of_others(others: Others, tmp_path: Path) -> None:
    """The default port is asked with devenv's user and password: one of that name with another password is told."""
    url = f"postgresql://ragbed:ragbed@127.0.0.1:{others.postgres.port}/ragbed"
    before = others.postgres.census()

    skipped = found("postgres", url, tmp_path, announced=False)

    assert isinstance(skipped, Skipped)
    assert "it refuses the password of ragbed" in skipped.note
    assert others.postgres.census() == before


@pytest.mark.parametrize("user", ["reader", "guest"])
def test_an_adopted_postgres_that_became_read_only_is_told(others: Others, tmp_path: Path, user: str) -> None:
    """The marker lets the project in, and the user's rights do not: found running, it is passed over for that."""
    project = StateFolder(tmp_path / "state").project()
    owner = kind_of("postgres").client(others.postgres.url())
    owner.let_in(project)
    with psycopg.connect(others.postgres.url()) as connection:
        connection.execute(f"GRANT SELECT ON public.ragbed_marker TO {user}")  # type: ignore[call-overload]
    try:
        skipped = found("postgres", others.postgres.url(user), tmp_path, announced=False, project=project)
        with pytest.raises(ServiceNotReady, match="cannot be used: "):
            given("postgres", others.postgres.url(user), tmp_path, project=project)
    finally:
        owner.leave(project)

    assert isinstance(skipped, Skipped)
    assert f"postgres on port {others.postgres.port} cannot be used: " in skipped.note


def test_a_user_with_a_schema_of_ours_needs_no_right_to_create_one(others: Others, tmp_path: Path) -> None:
    """An administrator may prepare schema and marker for a user who may create nothing."""
    project = StateFolder(tmp_path / "state").project()
    owner = kind_of("postgres").client(others.postgres.url())
    owner.let_in(project)
    with psycopg.connect(others.postgres.url(), autocommit=True) as connection:
        connection.execute("GRANT SELECT ON public.ragbed_marker TO guest")
        connection.execute("CREATE SCHEMA ragbed_prepared AUTHORIZATION guest")
        try:
            endpoint = given("postgres", others.postgres.url("guest"), tmp_path, project=project)
        finally:
            connection.execute("DROP SCHEMA ragbed_prepared")
            owner.leave(project)

    assert isinstance(endpoint, Endpoint)


@pytest.mark.parametrize("user", ["reader", "guest"])
def test_adopting_what_cannot_be_written_to_asks_nothing(
    others: Others, ragbed: RagbedCommand, user: str
) -> None:
    """`ragbed adopt` says so before it asks, in one line, and writes nothing."""
    before = others.postgres.census()

    done = ragbed.run("adopt", others.postgres.url(user), answer="y\n")

    assert done.returncode == ExitCode.SERVICE_MISSING, done.stderr
    assert "[y/N]" not in done.stdout
    assert "cannot be used: " in done.stderr.splitlines()[0]
    assert "THE_URL" not in done.stderr
    assert others.postgres.census() == before
