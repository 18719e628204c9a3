"""Snapshots that are not what they claim to be, made from a good one."""

from __future__ import annotations

import io
import stat
import struct
import warnings
import zipfile
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable

ABOUT = "snapshot.json"
CENTRAL = b"PK\1\2"
END = b"PK\5\6"


class Draft:
    """A snapshot that is being forged.

    Args:
        good: The snapshot that it begins as.
    """

    def __init__(self, good: bytes) -> None:
        with zipfile.ZipFile(io.BytesIO(good)) as archive:
            self.about: dict[str, Any] = orjson.loads(archive.read(ABOUT))
            self.members: list[tuple[zipfile.ZipInfo, bytes]] = [
                (_info(name), archive.read(name)) for name in archive.namelist() if name != ABOUT
            ]

    def add(
        self, name: str, content: bytes = b"x", *, listed: bool = True, mode: int = 0, method: int = 8
    ) -> None:
        """Add a file."""
        info = _info(f"files/{name}")
        info.external_attr = mode << 16
        info.compress_type = method
        self.members.append((info, content))
        if listed:
            self.about["sizes"][name] = len(content)

    def packed(self, about: bytes | None = None) -> bytes:
        """Return the file."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a name twice
            out = io.BytesIO()
            with zipfile.ZipFile(out, "w") as archive:
                for info, content in self.members:
                    archive.writestr(info, content)
                info = _info(ABOUT)
                archive.writestr(info, orjson.dumps(self.about) if about is None else about)
        return out.getvalue()


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def _with_name(name: str) -> Callable[[bytes], bytes]:
    def forge(good: bytes) -> bytes:
        draft = Draft(good)
        draft.add(name)
        return draft.packed()

    return forge


def _with_about(**changes: Any) -> Callable[[bytes], bytes]:
    def forge(good: bytes) -> bytes:
        draft = Draft(good)
        draft.about |= changes
        return draft.packed()

    return forge


def _with_vectors(**changes: Any) -> Callable[[bytes], bytes]:
    def forge(good: bytes) -> bytes:
        draft = Draft(good)
        draft.about["config"]["vectors"] |= changes
        return draft.packed()

    return forge


def _with_mode(mode: int) -> Callable[[bytes], bytes]:
    def forge(good: bytes) -> bytes:
        draft = Draft(good)
        draft.add("odd", b"/etc/passwd", mode=mode)
        return draft.packed()

    return forge


def _with_method(method: int) -> Callable[[bytes], bytes]:
    def forge(good: bytes) -> bytes:
        draft = Draft(good)
        draft.add("odd", method=method)
        return draft.packed()

    return forge


def _grown(good: bytes) -> bytes:
    """Claim 2 GiB in a member, as a bomb would hold them."""
    draft = Draft(good)
    draft.add("bomb")
    draft.about["sizes"]["bomb"] = 2**31
    packed = bytearray(draft.packed())
    entry = packed.rindex(b"files/bomb", 0, packed.rindex(END)) - 46
    packed[entry + 24 : entry + 28] = struct.pack("<L", 2**31)
    return bytes(packed)


def _with_hole(good: bytes) -> bytes:
    draft = Draft(good)
    draft.add("hole")
    draft.about["sizes"]["hole"] = 2**62
    return draft.packed()


def _long_about(good: bytes) -> bytes:
    return Draft(good).packed(b" " * 5_000_000)


def _many(good: bytes) -> bytes:
    draft = Draft(good)
    for number in range(20_001):
        draft.add(f"{number}", b"")
    return draft.packed()


def _long_directory(good: bytes) -> bytes:
    draft = Draft(good)
    for number in range(80):
        draft.add(f"{number:x}{'n' * 60_000}", b"")
    return draft.packed()


def _twice(good: bytes) -> bytes:
    draft = Draft(good)
    draft.members.append(draft.members[0])
    return draft.packed()


def _two_abouts(good: bytes) -> bytes:
    draft = Draft(good)
    draft.members.append((_info(ABOUT), b"{}"))
    return draft.packed()


def _unlisted(good: bytes) -> bytes:
    draft = Draft(good)
    draft.add("odd", listed=False)
    return draft.packed()


def _outside(good: bytes) -> bytes:
    draft = Draft(good)
    draft.members.append((_info("odd"), b"x"))
    return draft.packed()


def _lacking(good: bytes) -> bytes:
    draft = Draft(good)
    draft.about["sizes"]["odd"] = 1
    return draft.packed()


def _longer_than_listed(good: bytes) -> bytes:
    draft = Draft(good)
    draft.add("odd", b"x" * 10)
    draft.about["sizes"]["odd"] = 1
    return draft.packed()


def _file_and_folder(good: bytes) -> bytes:
    draft = Draft(good)
    draft.add("odd")
    draft.add("odd/inside")
    return draft.packed()


def _without(part: str) -> Callable[[bytes], bytes]:
    def forge(good: bytes) -> bytes:
        draft = Draft(good)
        draft.members = [one for one in draft.members if part not in one[0].filename]
        draft.about["sizes"] = {name: size for name, size in draft.about["sizes"].items() if part not in name}
        return draft.packed()

    return forge


def _encrypted(good: bytes) -> bytes:
    packed = bytearray(_with_name("odd")(good))
    entry = packed.rindex(b"files/odd", 0, packed.rindex(END)) - 46
    packed[entry + 8] |= 1
    return bytes(packed)


def _cut(good: bytes) -> bytes:
    """Lose a piece of the middle: the list of members is where it was not."""
    return good[:200] + good[400:]


def _garbled(good: bytes) -> bytes:
    draft = Draft(good)
    draft.members = [
        (info, b"\xff" * len(content) if "segment.json" in info.filename else content)
        for info, content in draft.members
    ]
    return draft.packed()


REFUSED: dict[str, Callable[[bytes], bytes]] = {
    "grows": _grown,
    "a hole": _with_hole,
    "a long description": _long_about,
    "many files": _many,
    "a long list": _long_directory,
    "a file twice": _twice,
    "two descriptions": _two_abouts,
    "a file not listed": _unlisted,
    "a file outside": _outside,
    "a file that lacks": _lacking,
    "longer than listed": _longer_than_listed,
    "a file that is a folder": _file_and_folder,
    "no files": _without(""),
    "no engine's configuration": _without("edge_config.json"),
    "encrypted": _encrypted,
    "cut": _cut,
    "garbled": _garbled,
    "a description that is a list": lambda good: Draft(good).packed(
        b'{"format": "ragbed-qdrant-snapshot-1", "sizes": []}'
    ),
    **{
        f"name {name!r}": _with_name(name)
        for name in ("/abs", "../up", "a/../../up", "a//b", ".", "..", "a\\b", "d/", "a\nb")
    },
    **{
        f"mode {mode:o}": _with_mode(mode | 0o777)
        for mode in (stat.S_IFLNK, stat.S_IFDIR, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK)
    },
    "bzip2": _with_method(zipfile.ZIP_BZIP2),
    "lzma": _with_method(zipfile.ZIP_LZMA),
    "sizes below zero": _with_about(sizes={"edge_config.json": -1}),
    "sizes that are words": _with_about(sizes={"edge_config.json": "1"}),
    "sizes that are truths": _with_about(sizes={"edge_config.json": True}),
    "no configuration": _with_about(config=None),
    "a configuration of nothing": _with_about(config=[]),
    "another size": _with_vectors(size=3),
    "a size of zero": _with_vectors(size=0),
    "a size beyond all": _with_vectors(size=2**40),
    "another distance": _with_vectors(distance="Cosine"),
    "another datatype": _with_vectors(datatype="uint8"),
    "many rows": _with_vectors(multivector_config={"comparator": "max_sim"}),
    "more vectors": _with_about(
        config={"vectors": {"": {"size": 2, "distance": "Dot"}, "b": {"size": 2, "distance": "Dot"}}}
    ),
    "other vectors": _with_about(config={"vectors": {"b": {"size": 2, "distance": "Dot"}}}),
    "no vectors": _with_about(config={"vectors": {}}),
}
"""What is forged, by name: each is refused with 400, or 501 where it is not a snapshot at all."""
