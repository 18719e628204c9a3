"""Serve one data folder until told to stop."""

from __future__ import annotations

import logging
import os
import sys
import time
from importlib.util import find_spec
from typing import TYPE_CHECKING, NoReturn

from ragbed.asgi import DEFAULT_HOST, require_loopback, run_server
from ragbed.errors import ConfigurationError, ServiceMissing
from ragbed.qdrant.auth import ApiKey
from ragbed.qdrant.envelope import failure
from ragbed.qdrant.errors import REAL_SERVER, BadRequest, Forbidden
from ragbed.qdrant.folder import owned
from ragbed.qdrant.identity import ENGINE, SUBSTITUTE
from ragbed.qdrant.limits import MAX_OPEN, MAX_SNAPSHOT_MB
from ragbed.qdrant.no_grpc import refuse_grpc

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import ASGIApp

OPTIMIZE_VARIABLE = "RAGBED_QDRANT_OPTIMIZE"


def serve(
    *,
    data: Path,
    port: int,
    host: str = DEFAULT_HOST,
    api_key_file: Path | None = None,
    read_only_api_key_file: Path | None = None,
    optimize: bool | None = None,
    max_open: int = MAX_OPEN,
    max_snapshot_mb: int = MAX_SNAPSHOT_MB,
    grpc_port: int | None = 0,
) -> None:
    """Serve Qdrant's REST API on a data folder until SIGTERM or SIGINT; call it from the main thread.

    Args:
        data: Folder of the collections; created when missing. One server owns it at a time.
        port: TCP port; 0 takes a free one.
        host: Loopback address.
        api_key_file: File whose content clients must send as `api-key` header or bearer token; None asks for none.
        read_only_api_key_file: File with another key, whose clients may only read; None for none.
        optimize: Build indexes in the background, as a real server does; without, searches stay exact. None
            leaves it to the environment variable `RAGBED_QDRANT_OPTIMIZE`, which switches it off with `0`.
        max_open: How many collections may hold their files open at once; the least used rest.
        max_snapshot_mb: How large a snapshot that comes in may be, packed and unpacked, in MiB.
        grpc_port: Where gRPC clients are told that there is no gRPC; None takes the port after `port`, 0 opens none.

    Raises:
        UsageError: The host is not a loopback address, or the port is outside 0 to 65535.
        ConfigurationError: The port or the folder is taken, or the key file cannot be read or is empty.
        ServiceMissing: The engine is not installed.
    """
    require_loopback(host)
    require_engine()
    from ragbed.qdrant.app import App  # noqa: PLC0415  # these import the engine
    from ragbed.qdrant.collections import Collections  # noqa: PLC0415
    from ragbed.qdrant.maintenance import Maintenance  # noqa: PLC0415

    api_key, read_only = read_key(api_key_file), read_key(read_only_api_key_file)
    with owned(data):
        try:
            collections = Collections.open(
                data, max_open=max_open, max_snapshot_bytes=max_snapshot_mb * 1024 * 1024
            )
        except OSError as error:
            raise ConfigurationError(f"cannot read the data folder {data}: {error}") from error
        if line := quarantine_line(data):
            print(line, file=sys.stderr, flush=True)  # as the ready line, for the process that started it
        maintenance = Maintenance(collections, optimize=wants_optimizing() if optimize is None else optimize)
        app = App(collections)
        guarded: ASGIApp = app
        if api_key or read_only:
            guarded = ApiKey(app, api_key, read_only=read_only, writes=app.writes)

        def stop() -> None:
            ended = maintenance.stop()
            app.close()
            if not (ended and collections.close()):  # closing would wait for a copy that is being made
                leave()

        maintenance.start()
        if told := _next_port(port) if grpc_port is None else grpc_port:
            refuse_grpc(host, told)
        run_server(
            guarded,
            name="ragbed.qdrant",
            refusal=refusal,
            takes_forms=takes_form,
            substitute=SUBSTITUTE,
            port=port,
            host=host,
            on_stop=stop,
        )


def refusal(status: int, message: str, _path: str) -> bytes:
    """Return the body with which a request is refused before it is looked at, as of a web page."""
    error = Forbidden(message) if status == Forbidden.status else BadRequest(message)
    return failure(error, started=time.perf_counter())


def takes_form(path: str) -> bool:
    """Say whether a path is that of an upload, whose body is a form."""
    return path.rstrip("/").endswith("/snapshots/upload")


def quarantine_line(data: Path) -> str:
    """Say which collections of a data folder are in quarantine; empty where none are."""
    from ragbed.qdrant.quarantine import quarantined  # noqa: PLC0415  # seldom needed

    entries = quarantined(data)
    if not entries:
        return ""
    names = ", ".join(f"`{entry.name or entry.id}`" for entry in entries[:5]) + ", …" * (len(entries) > 5)
    count = "1 collection is" if len(entries) == 1 else f"{len(entries)} collections are"
    return f"ragbed.qdrant: {count} in quarantine as damaged ({names}): ragbed qdrant quarantine list --data {data}"


def _next_port(port: int) -> int:
    """Return the port after one that was asked for; 0 where there is none."""
    return port + 1 if 0 < port < 65535 else 0


def wants_optimizing() -> bool:
    """Say whether the environment leaves background indexing on."""
    return os.environ.get(OPTIMIZE_VARIABLE, "1").strip().lower() not in ("0", "false", "no", "off")


def leave() -> NoReturn:
    """End the process at once, with collections open; the engine's logs hold what was acknowledged.

    An ordinary end would have the engine close them one by one, each waiting for the disk.
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def require_engine() -> None:
    """Raise ServiceMissing when the engine is not installed; it is an optional dependency."""
    if find_spec("qdrant_edge") is None:
        from ragbed.pins import server_advice  # noqa: PLC0415 - pydantic stays out of a server that has its engine

        raise ServiceMissing(
            f"the embedded Qdrant needs its engine, {ENGINE}, which is not installed",
            hint=server_advice(REAL_SERVER),
        )


def read_key(path: Path | None) -> str | None:
    """Return the API key in a file, without surrounding blanks; None where no file is given.

    Raises:
        ConfigurationError: The file cannot be read, or holds nothing.
    """
    if path is None:
        return None
    try:
        key = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"cannot read the API key file {path}: {error}") from error
    if not key:
        raise ConfigurationError(f"the API key file {path} is empty", hint="write the key into it, alone")
    return key
