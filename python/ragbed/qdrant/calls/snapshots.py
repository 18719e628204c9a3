"""Endpoints of snapshots."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from ragbed.qdrant import snapshots
from ragbed.qdrant.calls.call import ApiRoute, Raw
from ragbed.qdrant.child import asked
from ragbed.qdrant.disk_space import require_space
from ragbed.qdrant.errors import BadRequest, InvalidValue, WrongInput
from ragbed.qdrant.translate.config import read_config
from ragbed.qdrant.translate.fields import choice, fields, text

if TYPE_CHECKING:
    from ragbed.qdrant.calls.call import Call
    from ragbed.qdrant.translate.config import CollectionConfig

PRIORITIES = {name: name for name in ("no_sync", "snapshot", "replica")}
RESTORING = "ragbed.qdrant.restoring"
RESTORE_TIMEOUT_S = 3600.0
"""How long a snapshot may take in all, to be fetched, unpacked and tried."""

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
    with fields(call.body) as members:
        location = members.required("location", text)
        members.maybe("priority", choice(PRIORITIES))  # between replicas, of which there is one
        checksum, api_key = members.maybe("checksum", _checksum), members.maybe("api_key", text)
    path = _local(location)
    _restore(call, path=path, url="" if path else location, api_key=api_key, checksum=checksum)
    return True


def upload(call: Call) -> Any:
    """Do the same with a snapshot that comes in the request's form."""
    if (priority := call.query.get("priority")) is not None:
        choice(PRIORITIES)(priority, "priority")
    if (checksum := call.query.get("checksum")) is not None:
        _checksum(checksum, "checksum")
    with NamedTemporaryFile(dir=call.collections.incoming, suffix=snapshots.SUFFIX) as file:
        require_space(call.collections.incoming, len(call.content))
        snapshots.uploaded(call.content, file)
        file.flush()
        _restore(call, path=file.name, checksum=checksum)
    return True


def _checksum(value: Any, path: str) -> str:
    if not SHA256.fullmatch(given := text(value, path)):
        raise InvalidValue(path, "Validation error: invalid_sha256_hash")
    return given


def _restore(
    call: Call, *, path: str, url: str = "", api_key: str | None = None, checksum: str | None = None
) -> None:
    """Have a process of its own unpack and try a snapshot, and put it in place."""

    def fill(files: Path, target: CollectionConfig | None) -> CollectionConfig:
        wanted = {
            "path": path,
            "url": url,
            "api_key": api_key,
            "checksum": checksum,
            "files": str(files),
            "max_bytes": call.collections.max_snapshot_bytes,
            "target": target.body if target else None,
        }
        config = asked(
            RESTORING, wanted, is_cancelled=lambda: _is_cancelled(call), timeout_s=RESTORE_TIMEOUT_S
        )
        return read_config(config)

    call.collections.restore(call.name, fill)


def _is_cancelled(call: Call) -> bool:
    return call.gone.is_set() or call.collections.is_stopping.is_set()


def _local(location: str) -> str:
    """Return the path of a `file://` location; empty for another."""
    try:
        parts = urlsplit(location)
    except ValueError as error:
        raise WrongInput(f"Invalid snapshot location `{location}`: {error}") from error
    if parts.scheme != "file":
        return ""
    path = Path(unquote(parts.path))
    if parts.netloc not in ("", "localhost") or "\0" in str(path) or not path.is_file():
        raise BadRequest(f"Snapshot file {str(path)!r} does not exist")
    return str(path)


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
    ApiRoute(method="GET", path=ONE, answer=listed),
    ApiRoute(method="POST", path=ONE, answer=create, turn="collection", may_leave=True),
    ApiRoute(method="PUT", path=f"{ONE}/recover", answer=recover, turn="apart", may_leave=True),
    ApiRoute(
        method="POST",
        path=f"{ONE}/upload",
        answer=upload,
        turn="apart",
        parameters=("priority", "checksum"),
        may_leave=True,
    ),
    ApiRoute(method="GET", path=f"{ONE}/{{snapshot_name}}", answer=download),
    ApiRoute(
        method="DELETE", path=f"{ONE}/{{snapshot_name}}", answer=delete, turn="collection", may_leave=True
    ),
    ApiRoute(method="GET", path=ALL, answer=list_full),
    ApiRoute(method="POST", path=ALL, answer=create_full, turn="all", may_leave=True),
    ApiRoute(method="GET", path=f"{ALL}/{{snapshot_name}}", answer=download_full),
    ApiRoute(
        method="DELETE", path=f"{ALL}/{{snapshot_name}}", answer=delete_full, turn="all", may_leave=True
    ),
)
"""Every endpoint of this module."""
