"""Where blobs come from: a registry or a mirror over HTTP, a mirror in a folder, an Ollama's models folder."""

from __future__ import annotations

import http.client
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote, urljoin, urlsplit

from ragbed.errors import ServiceMissing, UsageError
from ragbed.guard import redacted
from ragbed.models.blobs import BlobFolder
from ragbed.pins import OLLAMA_REGISTRY, manifest_path

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

    from ragbed.pins import ModelPin, Part

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TRANSIENT = frozenset({408, 425, 429})
_MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
_MOST_MANIFEST_BYTES = 1 << 20
_CONNECT_S = 10.0


class TransferInterrupted(Exception):
    """A transfer broke off, or the other side is busy: worth another try. The text says what was seen."""


@dataclass(frozen=True, slots=True)
class Stream:
    """The bytes of a blob from some place on.

    Attributes:
        start: Index of the first byte that comes; a server that knows no ranges begins at 0.
        size_bytes: Of the whole blob, as the other side says; None when it says nothing.
        read: Reads some bytes, as many as are there, into a buffer; 0 or None at the end.
        end: Ends the transfer.
    """

    start: int
    size_bytes: int | None
    read: Callable[[memoryview], int | None]
    end: Callable[[], None]

    def readinto(self, buffer: memoryview) -> int:
        """Read some bytes; 0 at the end.

        Raises:
            TransferInterrupted: The connection broke.
        """
        try:
            return self.read(buffer) or 0
        except (OSError, http.client.HTTPException, ValueError) as error:  # ValueError: closed by `close`
            raise TransferInterrupted(f"the connection broke ({type(error).__name__}: {error})") from error

    def close(self) -> None:
        """End the transfer; harmless when it has ended."""
        self.end()


def _unwatched(_: socket.socket) -> None:
    """No caller breaks off a short request."""


class BlobSource(Protocol):
    """A place that blobs and manifests come from."""

    @property
    def shown(self) -> str:
        """How messages name it."""

    def open(
        self, pin: ModelPin, part: Part, start: int, *, wired: Callable[[socket.socket], None] = _unwatched
    ) -> Stream:
        """Return a blob's bytes, if possible from `start` on; raise `TransferInterrupted` or ServiceMissing.

        `wired` is told each socket as soon as it is connected: to shut it down is to wake the thread that waits for it.
        """

    def manifest(self, repository: str, tag: str) -> bytes:
        """Return the bytes of the manifest that a tag names; raise `TransferInterrupted` or ServiceMissing."""

    def blob(self, repository: str, part: Part) -> bytes:
        """Return a small blob's bytes, unchecked; raise `TransferInterrupted` or ServiceMissing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderSource:
    """An Ollama's models folder, or a mirror: the paths of a registry as files.

    Attributes:
        folder: `models/` of an Ollama, or what stands for the registry's root.
        mirror: True for a mirror.
        registry: Host under which an Ollama's folder keeps its manifests.
    """

    folder: Path
    mirror: bool = False
    registry: str = OLLAMA_REGISTRY

    @property
    def shown(self) -> str:
        """The folder."""
        return str(self.folder)

    def open(
        self, pin: ModelPin, part: Part, start: int, *, wired: Callable[[socket.socket], None] = _unwatched
    ) -> Stream:
        """Return the blob's file from `start` on."""
        del wired
        path = self._file(self._blob(pin.repository, part))
        try:
            file = path.open("rb", buffering=0)
        except OSError as error:
            raise ServiceMissing(f"{path} cannot be read: {error.strerror}") from error
        file.seek(start)
        return Stream(start=start, size_bytes=path.stat().st_size, read=file.readinto, end=file.close)

    def manifest(self, repository: str, tag: str) -> bytes:
        """Return the bytes of the manifest's file."""
        if self.mirror:
            return self._file(self.folder / "v2" / repository / "manifests" / tag).read_bytes()
        return self._file(
            manifest_path(self.folder, f"{repository}:{tag}", registry=self.registry)
        ).read_bytes()

    def blob(self, repository: str, part: Part) -> bytes:
        """Return the bytes of the blob's file."""
        return self._file(self._blob(repository, part)).read_bytes()

    def _blob(self, repository: str, part: Part) -> Path:
        if self.mirror:
            return self.folder / "v2" / repository / "blobs" / part.digest
        return BlobFolder(self.folder).path(part.digest)

    def _file(self, path: Path) -> Path:
        if not path.is_file():
            raise ServiceMissing(f"{self.folder} has no {path.relative_to(self.folder)}")
        return path


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSource:
    """A registry, or a mirror that answers like one. No other host is contacted, unless it was named.

    Attributes:
        url: Its root, for example `https://registry.ollama.ai`.
        redirects: Hosts that it may send us to; one that begins with a dot stands for all below it.
        timeout_s: How long it may be silent.
    """

    url: str
    redirects: Sequence[str] = ()
    timeout_s: float = 30.0

    @property
    def shown(self) -> str:
        """The address without its secrets."""
        return redacted(self.url)

    def open(
        self, pin: ModelPin, part: Part, start: int, *, wired: Callable[[socket.socket], None] = _unwatched
    ) -> Stream:
        """Ask for a blob, with a range where a part is there already."""
        url = f"{self.url.rstrip('/')}/v2/{pin.repository}/blobs/{part.digest}"
        headers = {"Range": f"bytes={start}-"} if start else {}
        return _stream_of(self._get(url, headers, wired))

    def manifest(self, repository: str, tag: str) -> bytes:
        """Ask for the manifest of a tag."""
        return self._read(f"/v2/{repository}/manifests/{tag}", {"Accept": _MANIFEST_TYPE})

    def blob(self, repository: str, part: Part) -> bytes:
        """Ask for a small blob."""
        return self._read(f"/v2/{repository}/blobs/{part.digest}", {})

    def _read(self, path: str, headers: dict[str, str]) -> bytes:
        response = self._get(self.url.rstrip("/") + path, headers, _unwatched)
        with response:
            try:
                return response.read(_MOST_MANIFEST_BYTES)
            except (OSError, http.client.HTTPException) as error:
                raise TransferInterrupted(
                    f"the connection broke ({type(error).__name__}: {error})"
                ) from error

    def _get(
        self, url: str, headers: dict[str, str], wired: Callable[[socket.socket], None]
    ) -> http.client.HTTPResponse:
        """Return an answer that carries content, after redirects to hosts that may be contacted."""
        for _ in range(5):
            response = _ask(url, headers, self.timeout_s, wired)
            if response.status in {200, 206}:
                return response
            response.close()
            if response.status not in _REDIRECTS:
                raise _refusal(url, response)
            url = self._followed(url, response.headers.get("Location", ""))
        raise ServiceMissing(f"{self.shown} sends us from address to address, five times so far")

    def _followed(self, url: str, location: str) -> str:
        """Return where a redirect leads, if we may go there."""
        target = urljoin(url, location)
        host, came_from = urlsplit(target).hostname or "", urlsplit(url)
        downgraded = came_from.scheme == "https" and not target.startswith("https:")
        if host == came_from.hostname and not downgraded:
            return target
        if not downgraded and any(
            host == name or (name[:1] == "." and host.endswith(name)) for name in self.redirects
        ):
            return target
        raise ServiceMissing(
            f"{self.shown} sends us to {redacted(target).partition('?')[0]}, and only itself may be contacted",
            hint=f"allow it if you trust it: --redirect-to {host}; every byte is checked against its digest anyway",
        )


def open_source(url: str, *, redirects: Sequence[str] = ()) -> BlobSource:
    """Return the source at an address: `https://…`, `http://…` or `file://…`.

    Raises:
        UsageError: It is none of these, or its folder is not there.
    """
    parts = urlsplit(url)
    if parts.scheme == "file":
        return FolderSource(folder=_existing(Path(unquote(parts.path))), mirror=True)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UsageError(
            f"{redacted(url)} is not a registry",
            hint="write it as https://host, http://host or file:///folder",
        )
    return HttpSource(url=url, redirects=tuple(redirects))


def open_folder(folder: Path) -> BlobSource:
    """Return an Ollama's models folder as a source.

    Raises:
        UsageError: It holds no `blobs/`.
    """
    if not (_existing(folder) / "blobs").is_dir():
        raise UsageError(
            f"{folder} is not an Ollama models folder: it holds no blobs/",
            hint="often it is ~/.ollama/models",
        )
    return FolderSource(folder=folder)


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}")
    return folder


def _ask(
    url: str, headers: dict[str, str], timeout_s: float, wired: Callable[[socket.socket], None]
) -> http.client.HTTPResponse:
    """Send one request on a connection of its own; closing the answer closes that too."""
    parts = urlsplit(url)
    host, path = parts.hostname or "", f"{parts.path}?{parts.query}" if parts.query else parts.path
    if parts.scheme == "https":
        context = ssl.create_default_context()
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, parts.port, timeout=_CONNECT_S, context=context
        )
    else:
        connection = http.client.HTTPConnection(host, parts.port, timeout=_CONNECT_S)
    try:
        connection.connect()
        wired(connection.sock)
        connection.sock.settimeout(timeout_s)
        connection.request("GET", path, headers={**headers, "Connection": "close"})
        return connection.getresponse()
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        raise TransferInterrupted(
            f"{redacted(url).partition('?')[0]}: {type(error).__name__}: {error}"
        ) from error


def _refusal(url: str, response: http.client.HTTPResponse) -> Exception:
    seen = f"{redacted(url).partition('?')[0]} answers {response.status} {response.reason}"
    if response.status >= 500 or response.status in _TRANSIENT:
        return TransferInterrupted(seen)
    return ServiceMissing(seen, hint="take another --registry, or --from an Ollama's models folder")


def _stream_of(response: http.client.HTTPResponse) -> Stream:
    # The answer's own readinto() waits until the buffer is full: on a slow line nothing would be kept for long.
    read = response.readinto if response.chunked else response.fp.readinto1
    first, size = 0, response.length
    if response.status == 206:
        first, size = _content_range(response.headers.get("Content-Range", ""))
    return Stream(start=first, size_bytes=size, read=read, end=response.close)


def _content_range(header: str) -> tuple[int, int | None]:
    """Return first byte and whole size of an answer in part.

    Source: Content-Range, RFC 9110, section 14.4.
    """
    span, _, size = header.removeprefix("bytes").strip().partition("/")
    first = span.partition("-")[0]
    if not first.isdigit():
        raise TransferInterrupted(f"the answer in part does not say which part it is: {header!r}")
    return int(first), int(size) if size.isdigit() else None
