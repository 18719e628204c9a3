"""Layers of images: tar files whose bytes depend on their content alone, and what one root has beyond another."""

from __future__ import annotations

import io
import tarfile
import zlib
from dataclasses import dataclass
from fnmatch import fnmatch
from hashlib import sha256
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING

from ragbed.containers.recipes import EPOCH

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_GZIP = 16 + zlib.MAX_WBITS
_LEVEL = 4
"""Of compression: the images go no farther than this machine's own registry."""

_NOT_SHIPPED = (
    "dev/*",
    "etc/.pwd.lock",
    "etc/hostname",
    "etc/machine-id",
    "etc/resolv.conf",
    "etc/ssl/certs/62742064.0",  # points to the next one
    "etc/ssl/certs/ssl-cert-snakeoil.pem",  # a pair of keys that every machine makes for itself
    "etc/ssl/private/ssl-cert-snakeoil.key",
    "tmp/*",
    "var/cache/apt/*",
    "var/cache/debconf/*-old",
    "var/cache/ldconfig/*",
    "var/lib/apt/lists/*",
    "var/lib/dpkg/*-old",
    "var/log/*",
)
"""What is of the machine that built a root, not of its packages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A file, folder or link of a layer.

    Attributes:
        header: Of the tar file; its name has no slash in front.
        content: Of a file; None for all others.
    """

    header: tarfile.TarInfo
    content: bytes | None = None

    @property
    def evidence(self) -> tuple[object, ...]:
        """Return what makes it equal to another of its name."""
        header = self.header
        return (
            header.type, header.mode, header.uid, header.gid, header.linkname, header.mtime, self.content
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A packed layer.

    Attributes:
        digest: Of the packed bytes.
        size: Of the packed bytes.
        diff_id: Digest of the tar file inside.
    """

    digest: str
    size: int
    diff_id: str


def read_members(source: IO[bytes]) -> dict[str, Member]:
    """Return what a tar file holds, by name, without what is of the machine that made it.

    A hard link becomes a file of its own: its target may lie in a layer below.

    Args:
        source: The tar file, packed or not.
    """
    members: dict[str, Member] = {}
    with tarfile.open(fileobj=source) as archive:
        for header in archive:
            name = _plain(header.name)
            if not name or any(fnmatch(name, pattern) for pattern in _NOT_SHIPPED):
                continue
            members[name] = _read(archive, header, name, members)
    return members


def beyond(lower: Mapping[str, Member], upper: Mapping[str, Member]) -> dict[str, Member]:
    """Return the members of a root that another one has not, or has otherwise, and the folders they are in.

    Args:
        lower: The root below; all that it has is in the other one by name.
        upper: The root above.
    """
    return with_parents(
        {
            name: member
            for name, member in upper.items()
            if name not in lower or lower[name].evidence != member.evidence
        },
        upper,
    )


def with_parents(members: Mapping[str, Member], root: Mapping[str, Member]) -> dict[str, Member]:
    """Return members and the folders they are in: a daemon gives folders that a layer leaves out to root.

    Args:
        members: Of a layer.
        root: What has the folders.
    """
    names = {str(parent) for name in members for parent in PurePosixPath(name).parents}
    return {name: root[name] for name in names if name in root} | dict(members)


def file_member(path: str, content: bytes, *, mode: int) -> Member:
    """Return a file of root's.

    Args:
        path: Where it lies, without the slash in front.
        content: What is in it.
        mode: Permission bits.
    """
    header = tarfile.TarInfo(path)
    header.mode, header.size, header.mtime = mode, len(content), EPOCH
    return Member(header=header, content=content)


def folder_member(path: str, owner: tuple[int, int], *, mode: int) -> Member:
    """Return an empty folder.

    Args:
        path: Where it lies, without the slash in front.
        owner: User and group.
        mode: Permission bits.
    """
    header = tarfile.TarInfo(path)
    header.type, header.mode, header.mtime = tarfile.DIRTYPE, mode, EPOCH
    header.uid, header.gid = owner
    return Member(header=header)


def pack(members: Iterable[Member], blobs: Path) -> Layer:
    """Write a layer into the folder of blobs, under its digest.

    Args:
        members: In any order.
        blobs: The folder.
    """
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for member in sorted(members, key=lambda member: member.header.name.split("/")):
            archive.addfile(member.header, io.BytesIO(member.content) if member.content is not None else None)
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    packed = packer.compress(plain.getbuffer()) + packer.flush()
    digest = write_blob(packed, blobs)
    return Layer(digest=digest, size=len(packed), diff_id=f"sha256:{sha256(plain.getbuffer()).hexdigest()}")


def write_blob(content: bytes, blobs: Path) -> str:
    """Write bytes under their digest, and return it."""
    name = sha256(content).hexdigest()
    beside = blobs / f".{name}"
    beside.write_bytes(content)
    beside.rename(blobs / name)
    return f"sha256:{name}"


def _plain(name: str) -> str:
    return name.removeprefix("./").strip("/")


def _read(
    archive: tarfile.TarFile, header: tarfile.TarInfo, name: str, before: Mapping[str, Member]
) -> Member:
    content: bytes | None = None
    if header.islnk():
        content = before[_plain(header.linkname)].content
        header.type, header.linkname = tarfile.REGTYPE, ""
    elif header.isfile():
        opened = archive.extractfile(header)
        content = opened.read() if opened else b""
    header.name, header.uname, header.gname, header.pax_headers = name, "", "", {}
    header.size = len(content or b"")
    header.mtime = min(int(header.mtime), EPOCH)
    return Member(header=header, content=content)
