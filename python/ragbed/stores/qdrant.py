"""Qdrant: collections counted, dropped, copied by the server's own snapshots, a prefix of names per test."""

from __future__ import annotations

import json
import secrets
import zipfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ragbed.guard.stores import MARKER
from ragbed.stores.files import opened, reference
from ragbed.stores.port import (
    Census,
    Isolated,
    SnapshotRef,
    StoreFailed,
    name_for,
    require_mode,
    require_same_major,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import httpx

    from ragbed.guard.data_class import DataClass
    from ragbed.stack import Endpoint
    from ragbed.stores.port import IsolationMode

FILE = "qdrant.zip"

_ABOUT = "collections.json"
_PIECE_BYTES = 1024 * 1024
_TIMEOUT_S = 300.0


class QdrantStore:
    """All collections of a Qdrant.

    Args:
        endpoint: Where it answers.
        api_key: Its key; empty for none.
    """

    service = "qdrant"
    modes: frozenset[IsolationMode] = frozenset({"collections"})

    def __init__(self, endpoint: Endpoint, *, api_key: str = "") -> None:
        self._endpoint = endpoint
        self._url = endpoint.url
        self._headers = {"api-key": api_key} if api_key else {}

    @contextmanager
    def isolate(self, test: str, mode: IsolationMode) -> Iterator[Isolated]:
        """Lend the collections whose names begin with a prefix."""
        require_mode(self, mode)
        prefix = f"{name_for(test, secrets.token_hex(3))}_"
        try:
            yield Isolated(
                service=self.service, mode=mode, url=self._url, name=prefix, environ={"QDRANT_URL": self._url}
            )
        finally:
            with self._connected() as client:
                _drop(client, [name for name in _collections(client) if name.startswith(prefix)])

    def census(self) -> Census:
        """Return the points of each collection."""
        with self._connected() as client:
            return _census(client)

    def reset(self) -> None:
        """Drop every collection but the marker's, and the aliases with them."""
        with self._connected() as client:
            _drop(client, _collections(client))

    def snapshot(self, into: Path, *, data_class: DataClass) -> SnapshotRef:
        """Have the server copy each collection, and keep the copies with the aliases in one file.

        Source: "Snapshots" of Qdrant's documentation.
        """
        path = into / FILE
        with self._connected() as client, zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            census = _census(client)
            names = list(census.counts)
            about = {"collections": names, "aliases": _aliases(client)}
            archive.writestr(_ABOUT, json.dumps(about))
            for number, name in enumerate(names):
                with archive.open(str(number), "w", force_zip64=True) as file:
                    for piece in _copied(client, name):
                        file.write(piece)
        taken = "one moment" if len(names) < 2 else "collection by collection"
        return reference(path, self._endpoint, census, data_class=data_class, taken=taken)

    def restore(self, ref: SnapshotRef, folder: Path) -> None:
        """Drop what is there, then have the server recover each collection, and set the aliases."""
        require_same_major(ref, self._endpoint)
        path = opened(ref, folder)
        with self._connected() as client, zipfile.ZipFile(path) as archive:
            about = json.loads(archive.read(_ABOUT))
            _drop(client, _collections(client))
            for number, name in enumerate(about["collections"]):
                with archive.open(str(number)) as file:
                    _call(
                        client,
                        "POST",
                        f"/collections/{_quoted(name)}/snapshots/upload?priority=snapshot&wait=true",
                        files={"snapshot": ("collection.snapshot", file)},
                    )
            if actions := [{"create_alias": alias} for alias in about["aliases"]]:
                _call(client, "POST", "/collections/aliases", json={"actions": actions})

    @contextmanager
    def _connected(self) -> Iterator[httpx.Client]:
        import httpx  # noqa: PLC0415 - 0.1 s that other stores should not pay

        try:
            # No other host than the one that the guard has judged.
            with httpx.Client(
                base_url=self._url,
                headers=self._headers,
                timeout=_TIMEOUT_S,
                trust_env=False,
                follow_redirects=False,
            ) as client:
                yield client
        except httpx.HTTPError as error:
            raise StoreFailed(f"Qdrant does not answer: {error}") from error


def _call(client: httpx.Client, method: str, path: str, **request: Any) -> Any:
    answer = client.request(method, path, **request)
    if answer.status_code != 200:
        raise StoreFailed(f"Qdrant refused {method} {path}: HTTP {answer.status_code}, {answer.text[:200]}")
    return answer.json()["result"]


def _collections(client: httpx.Client) -> list[str]:
    """Return the collections' names, but the marker's."""
    collections = _call(client, "GET", "/collections")["collections"]
    return sorted(one["name"] for one in collections if one["name"] != MARKER)


def _census(client: httpx.Client) -> Census:
    return Census(
        counts={
            name: _call(client, "POST", f"/collections/{_quoted(name)}/points/count", json={"exact": True})[
                "count"
            ]
            for name in _collections(client)
        }
    )


def _aliases(client: httpx.Client) -> list[dict[str, str]]:
    return list(_call(client, "GET", "/aliases")["aliases"])


def _drop(client: httpx.Client, names: Sequence[str]) -> None:
    for name in names:
        _call(client, "DELETE", f"/collections/{_quoted(name)}?timeout=60")


def _copied(client: httpx.Client, name: str) -> Iterator[bytes]:
    """Yield a collection's snapshot, and remove it from the server."""
    path = f"/collections/{_quoted(name)}/snapshots"
    made = _call(client, "POST", f"{path}?wait=true")["name"]
    try:
        with client.stream("GET", f"{path}/{_quoted(made)}") as answer:
            if answer.status_code != 200:
                raise StoreFailed(
                    f"Qdrant would not hand out its snapshot of {name}: HTTP {answer.status_code}"
                )
            yield from answer.iter_bytes(_PIECE_BYTES)
    finally:
        _call(client, "DELETE", f"{path}/{_quoted(made)}?wait=true")


def _quoted(name: str) -> str:
    return quote(name, safe="")
