"""Serve one data folder until told to stop."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from ragbed.asgi import DEFAULT_HOST, SubstituteHeader, require_loopback, run_server
from ragbed.errors import ConfigurationError, ServiceMissing
from ragbed.qdrant import ENGINE, SUBSTITUTE
from ragbed.qdrant.auth import ApiKey
from ragbed.qdrant.errors import REAL_SERVER
from ragbed.qdrant.folder import owned

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import ASGIApp


def serve(*, data: Path, port: int, host: str = DEFAULT_HOST, api_key_file: Path | None = None) -> None:
    """Serve Qdrant's REST API on a data folder until SIGTERM or SIGINT; call it from the main thread.

    Args:
        data: Folder of the collections; created when missing. One server owns it at a time.
        port: TCP port; 0 takes a free one.
        host: Loopback address.
        api_key_file: File whose content clients must send as `api-key` header or bearer token; None asks for none.

    Raises:
        UsageError: The host is not a loopback address, or the port is outside 0 to 65535.
        ConfigurationError: The port or the folder is taken, or the key file cannot be read or is empty.
        ServiceMissing: The engine is not installed.
    """
    require_loopback(host)
    require_engine()
    from ragbed.qdrant.app import App  # noqa: PLC0415  # these two import the engine
    from ragbed.qdrant.collections import Collections  # noqa: PLC0415

    api_key = None if api_key_file is None else read_key(api_key_file)
    with owned(data):
        collections = Collections.open(data)
        app = App(collections)
        guarded: ASGIApp = app if api_key is None else ApiKey(app, api_key)

        def stop() -> None:
            app.close()
            collections.close()

        run_server(
            SubstituteHeader(guarded, name=SUBSTITUTE),
            name="ragbed.qdrant",
            port=port,
            host=host,
            on_stop=stop,
        )


def require_engine() -> None:
    """Raise ServiceMissing when the engine is not installed; it is an optional dependency."""
    if find_spec("qdrant_edge") is None:
        raise ServiceMissing(
            f"the embedded Qdrant needs its engine, {ENGINE}, which is not installed",
            hint=f"pip install 'ragbed[embedded]', or {REAL_SERVER}",
        )


def read_key(path: Path) -> str:
    """Return the API key in a file, without surrounding blanks.

    Raises:
        ConfigurationError: The file cannot be read, or holds nothing.
    """
    try:
        key = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"cannot read the API key file {path}: {error}") from error
    if not key:
        raise ConfigurationError(f"the API key file {path} is empty", hint="write the key into it, alone")
    return key
