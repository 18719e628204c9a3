"""Endpoints of snapshots."""

from __future__ import annotations

import hmac
import re
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from ragbed.qdrant import snapshots
from ragbed.qdrant.calls.call import Endpoint, Raw
from ragbed.qdrant.errors import BadRequest, Forbidden, InvalidValue, WrongInput
from ragbed.qdrant.translate.config import read_config
from ragbed.qdrant.translate.fields import choice, fields, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ragbed.qdrant.calls.call import Call

PRIORITIES = {name: name for name in ("no_sync", "snapshot", "replica")}
FETCH_TIMEOUT_S = 60
PIECE_BYTES = 1024 * 1024
SHA256 = re.compile(r"[0-9A-Fa-f]{64}")
BINARY = b"application/octet-stream"


def create(call: Call) -> Any:
    """Make a snapshot of a collection."""
    shard = call.shard
    folder = snapshots.folder_of(shard)
    path = folder / snapshots.new_name(shard.name, folder)
    snapshots.write(shard, path)
    return snapshots.describe(path)


def listed(call: Call) -> Any:
    """Return a collection's snapshots."""
    return snapshots.listed(snapshots.folder_of(call.shard))


def download(call: Call) -> Any:
    """Return a collection's snapshot."""
    path = snapshots.find(snapshots.folder_of(call.shard), call.path["snapshot_name"])
    return Raw(content=path, kind=BINARY, name=path.name)


def delete(call: Call) -> Any:
    """Delete a collection's snapshot."""
    snapshots.find(snapshots.folder_of(call.shard), call.path["snapshot_name"]).unlink()
    return True


def recover(call: Call) -> Any:
    """Put a snapshot in the place of what a collection holds; without the collection, create it."""
    with fields(call.body) as found:
        location = found.required("location", text)
        found.maybe("priority", choice(PRIORITIES))  # between replicas, of which there is one
        checksum, api_key = found.maybe("checksum", _checksum), found.maybe("api_key", text)
    with _fetched(location, api_key) as path:
        _restore(call, path, checksum)
    return True


def upload(call: Call) -> Any:
    """Do the same with a snapshot that comes in the request's form."""
    if (priority := call.query.get("priority")) is not None:
        choice(PRIORITIES)(priority, "priority")
    if (checksum := call.query.get("checksum")) is not None:
        _checksum(checksum, "checksum")
    with NamedTemporaryFile(dir=call.collections.scratch, suffix=snapshots.SUFFIX) as file:
        snapshots.uploaded(call.content, file)
        file.flush()
        _restore(call, Path(file.name), checksum)
    return True


def _checksum(value: Any, path: str) -> str:
    if not SHA256.fullmatch(given := text(value, path)):
        raise InvalidValue(path, "Validation error: invalid_sha256_hash")
    return given


def _restore(call: Call, path: Path, checksum: str | None) -> None:
    if checksum is not None and not hmac.compare_digest(snapshots.sha256(path), checksum.lower()):
        message = f"Snapshot checksum mismatch: expected {checksum}, actual {snapshots.sha256(path)}"
        raise BadRequest(message)
    about = snapshots.read_about(path)
    config = read_config(about["config"])
    call.collections.restore(
        call.name, config, lambda folder: snapshots.extract(path, about["sizes"], folder)
    )


@contextmanager
def _fetched(location: str, api_key: str | None) -> Iterator[Path]:
    """Return the file behind a location, fetched for as long as it is needed."""
    from ragbed.guard import is_loopback  # noqa: PLC0415  # seldom needed, and slow to import

    try:
        parts = urlsplit(location)
    except ValueError as error:
        raise WrongInput(f"Invalid snapshot location `{location}`: {error}") from error
    if parts.scheme == "file":
        path = Path(unquote(parts.path))
        if not path.is_file():
            raise BadRequest(f"Snapshot file {str(path)!r} does not exist")
        yield path
        return
    if parts.scheme not in ("http", "https"):
        raise WrongInput(f"Invalid snapshot location `{location}`: a file, http or https URL is expected")
    if not is_loopback(parts.hostname or ""):
        raise Forbidden(f"`{parts.hostname}` is not this machine; fetch the snapshot and upload it")
    with NamedTemporaryFile(suffix=snapshots.SUFFIX) as file:
        _fetch(location, {"api-key": api_key} if api_key else {}, file)
        yield Path(file.name)


def _fetch(url: str, headers: dict[str, str], into: IO[bytes]) -> None:
    from urllib.error import URLError  # noqa: PLC0415  # seldom needed, and slow to import
    from urllib.request import ProxyHandler, Request, build_opener  # noqa: PLC0415

    opener = build_opener(ProxyHandler({}))  # loopback is not behind a proxy
    try:
        with opener.open(Request(url, headers=headers), timeout=FETCH_TIMEOUT_S) as answer:  # noqa: S310
            while piece := answer.read(PIECE_BYTES):
                into.write(piece)
    except (URLError, OSError) as error:
        raise BadRequest(f"Failed to download snapshot from {url}: {error}") from error
    into.flush()


def create_full(call: Call) -> Any:
    """Make a snapshot of every collection and all aliases."""
    folder = _full(call)
    parts = []
    try:
        for name in call.collections.names():
            shard = call.collections.find(name)
            parts.append(folder / f".{shard.folder.parent.name}{snapshots.SUFFIX}")
            snapshots.write(shard, parts[-1])
        path = folder / snapshots.new_name("full-snapshot", folder)
        aliases = {item["alias_name"]: item["collection_name"] for item in call.collections.aliases.listed()}
        snapshots.bundle(parts, aliases, path)
    finally:
        for part in parts:
            part.unlink(missing_ok=True)
    return snapshots.describe(path)


def list_full(call: Call) -> Any:
    """Return the snapshots of everything."""
    return snapshots.listed(_full(call))


def download_full(call: Call) -> Any:
    """Return a snapshot of everything."""
    path = snapshots.find(_full(call), call.path["snapshot_name"])
    return Raw(content=path, kind=BINARY, name=path.name)


def delete_full(call: Call) -> Any:
    """Delete a snapshot of everything."""
    snapshots.find(_full(call), call.path["snapshot_name"]).unlink()
    return True


def _full(call: Call) -> Path:
    return call.collections.scratch / "full"


ONE, ALL = "/collections/{name}/snapshots", "/snapshots"
ENDPOINTS = (
    Endpoint(method="GET", path=ONE, answer=listed),
    Endpoint(method="POST", path=ONE, answer=create, turn="collection", may_leave=True),
    Endpoint(method="PUT", path=f"{ONE}/recover", answer=recover, turn="all", may_leave=True),
    Endpoint(
        method="POST",
        path=f"{ONE}/upload",
        answer=upload,
        turn="all",
        parameters=("priority", "checksum"),
        may_leave=True,
    ),
    Endpoint(method="GET", path=f"{ONE}/{{snapshot_name}}", answer=download),
    Endpoint(
        method="DELETE", path=f"{ONE}/{{snapshot_name}}", answer=delete, turn="collection", may_leave=True
    ),
    Endpoint(method="GET", path=ALL, answer=list_full),
    Endpoint(method="POST", path=ALL, answer=create_full, turn="all", may_leave=True),
    Endpoint(method="GET", path=f"{ALL}/{{snapshot_name}}", answer=download_full),
    Endpoint(
        method="DELETE", path=f"{ALL}/{{snapshot_name}}", answer=delete_full, turn="all", may_leave=True
    ),
)
"""Every endpoint of this module."""
