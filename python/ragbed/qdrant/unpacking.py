"""Take a snapshot apart, which may come from anywhere: everything is bounded before the first byte is unpacked.

A snapshot is a zip of our own making (`snapshots`). What such a file does not need is refused: links, folders, devices,
names that lead elsewhere or are there twice, members that it does not list, other compressions than deflate.

Source: APPNOTE.TXT of the zip format, 4.3 and 4.4.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
import zipfile
import zlib
from typing import IO, TYPE_CHECKING, Any

import orjson

from ragbed.qdrant.disk_space import require_space
from ragbed.qdrant.errors import Unsupported, WrongInput
from ragbed.qdrant.snapshots import ABOUT, FILES, FORMAT, PIECE_BYTES

if TYPE_CHECKING:
    from pathlib import Path

MAX_MEMBERS = 20_000
"""Files in a snapshot; one of a million points has about a thousand."""

MAX_ABOUT_BYTES = 4 * 1024 * 1024
"""Size of `snapshot.json`, and of the zip's own list of members: both are read into memory."""

SMALL_BYTES = 256 * 1024 * 1024
GROWTH = 300
"""A snapshot may grow to `SMALL_BYTES`, or else by that factor: reserved space shrinks 229 times."""

MAX_NAME_BYTES = 1024
MAX_DEPTH = 16
ENCRYPTED = 1

_END = struct.Struct("<4s4H2LH")
_END_64_LOCATOR_BYTES, _END_64_BYTES = 20, 56
_COMMENT_BYTES = 65_535
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    KeyError,
    EOFError,
    ValueError,
    OverflowError,
    NotImplementedError,
    RuntimeError,
)
"""What broken archives raise in the library that reads them."""

_BROKEN_NUMBERS = frozenset({errno.EINVAL, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG})
"""What they raise in the system, where they are read and their files are written."""


def unpack(file: IO[bytes], target: Path, *, max_bytes: int) -> Any:
    """Take a snapshot's files out into a new folder, and return the configuration that it claims to have.

    Args:
        file: The snapshot.
        target: The folder, which is made; a part of the files may be there after an error.
        max_bytes: How much room the files may take, and how long they may be with their holes.

    Raises:
        WrongInput: The snapshot is damaged, grows too much, or holds what no snapshot holds.
        Unsupported: The file is not a snapshot of this server; a real server's has another format.
        DiskFull: The disk has no room for the files.
    """
    _require_small_directory(file)
    try:
        with zipfile.ZipFile(file) as archive:
            about = _about(archive)
            members = _members(archive, about["sizes"])
            _require_bounded(members, about["sizes"], _size(file), max_bytes, target)
            target.mkdir()
            for name, member in members.items():
                _take(archive, member, target / name, about["sizes"][name])
            return about["config"]
    except (*_BROKEN, OSError) as error:
        if isinstance(error, OSError) and error.errno not in _BROKEN_NUMBERS:
            raise
        raise WrongInput(f"the snapshot is damaged: {error}") from error


def _size(file: IO[bytes]) -> int:
    return os.fstat(file.fileno()).st_size


def _require_small_directory(file: IO[bytes]) -> None:
    """Refuse a list of members that would fill the memory; it is read whole before it can be counted."""
    size = _size(file)
    start = max(0, size - _END.size - _COMMENT_BYTES - _END_64_LOCATOR_BYTES - _END_64_BYTES)
    file.seek(start)
    tail = file.read()
    end = tail.rfind(b"PK\5\6")
    if end < 0 or len(tail) - end < _END.size:
        raise Unsupported("a snapshot that was not made by it")
    listed = [_END.unpack_from(tail, end)[5]]
    if tail[max(0, end - _END_64_LOCATOR_BYTES) :].startswith(b"PK\6\7"):
        record = end - _END_64_LOCATOR_BYTES - _END_64_BYTES
        if record < 0 or not tail.startswith(b"PK\6\6", record):
            raise WrongInput("the snapshot is damaged: its end is not that of a zip file")
        listed = [int.from_bytes(tail[record + 40 : record + 48], "little")]
    if listed[0] > MAX_ABOUT_BYTES:
        raise WrongInput(f"the snapshot's list of files is longer than {MAX_ABOUT_BYTES} bytes")
    file.seek(0)


def _about(archive: zipfile.ZipFile) -> dict[str, Any]:
    """Return the snapshot's description: `config`, and `sizes` of its files by name."""
    try:
        entry = archive.getinfo(ABOUT)
    except KeyError:
        raise Unsupported("a snapshot that was not made by it") from None
    if entry.file_size > MAX_ABOUT_BYTES:
        raise WrongInput(f"the snapshot's `{ABOUT}` is longer than {MAX_ABOUT_BYTES} bytes")
    _require_plain(entry)
    about: Any = orjson.loads(archive.read(entry))
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise Unsupported(f"a snapshot of another format than `{FORMAT}`")
    sizes = about.get("sizes")
    if not isinstance(sizes, dict) or not all(type(size) is int and size >= 0 for size in sizes.values()):
        raise WrongInput("the snapshot is damaged: its list of files is not a list")
    return {"config": about.get("config"), "sizes": sizes}


def _members(archive: zipfile.ZipFile, sizes: dict[str, int]) -> dict[str, zipfile.ZipInfo]:
    """Return the files by name; each must be listed, each that is listed must be there, once."""
    entries = archive.infolist()
    if len(entries) > MAX_MEMBERS:
        raise WrongInput(f"the snapshot holds {len(entries)} files, and no more than {MAX_MEMBERS} are taken")
    members = {info.filename.removeprefix(FILES): info for info in entries if info.filename != ABOUT}
    if len(members) != len(entries) - 1:
        raise WrongInput("the snapshot is damaged: it holds a file twice")
    for name, info in members.items():
        if name not in sizes or info.filename != FILES + name or not _is_inside(name):
            raise WrongInput(f"the snapshot is damaged: it holds a file `{info.filename[:100]}`")
        _require_plain(info)
    if missing := sizes.keys() - members.keys():
        raise WrongInput(f"the snapshot is damaged: it lacks the file `{min(missing)[:100]}`")
    return members


def _is_inside(name: str) -> bool:
    parts = name.split("/")
    is_odd = "\\" in name or not name.isprintable() or len(name.encode()) > MAX_NAME_BYTES
    return not (is_odd or len(parts) > MAX_DEPTH or any(part in ("", ".", "..") for part in parts))


def _require_plain(info: zipfile.ZipInfo) -> None:
    """Refuse what is not a plain file, plainly packed."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    packed = info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    if kind not in (0, stat.S_IFREG) or packed or info.flag_bits & ENCRYPTED:
        raise WrongInput(f"the snapshot is damaged: `{info.filename[:100]}` is not a plain file")


def _require_bounded(
    members: dict[str, zipfile.ZipInfo],
    sizes: dict[str, int],
    packed_bytes: int,
    max_bytes: int,
    target: Path,
) -> None:
    """Refuse files that are too large together, on the disk or with their holes."""
    for name, info in members.items():
        if info.file_size > sizes[name]:
            raise WrongInput(f"the snapshot is damaged: `{name[:100]}` is longer than it says")
    data_bytes = sum(info.file_size for info in members.values())
    if data_bytes > max(SMALL_BYTES, GROWTH * packed_bytes):
        raise WrongInput(f"the snapshot of {packed_bytes} bytes would grow to {data_bytes}: no snapshot does")
    if sum(sizes.values()) > max_bytes:
        raise WrongInput(
            f"the snapshot's files are {sum(sizes.values())} bytes long, and no more than {max_bytes} are taken;"
            " `--max-snapshot-mb` raises that"
        )
    require_space(target.parent, data_bytes)


def _take(archive: zipfile.ZipFile, info: zipfile.ZipInfo, file: Path, size: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(info) as source, file.open("xb") as written:
        while piece := source.read(PIECE_BYTES):
            if piece.count(0) == len(piece):  # reserved space: a hole again, which takes no room
                written.seek(len(piece), os.SEEK_CUR)
            else:
                written.write(piece)
        written.truncate(size)
        written.flush()
        os.fsync(written.fileno())
