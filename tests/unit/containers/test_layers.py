"""Layers whose bytes depend on their content alone."""

from __future__ import annotations

import gzip
import io
import tarfile
from typing import TYPE_CHECKING

import pytest

from ragbed.containers.debian import ids_of, package_version
from ragbed.containers.layers import beyond, file_member, folder_member, pack, read_members
from ragbed.containers.recipes import EPOCH
from ragbed.errors import ServiceMissing

if TYPE_CHECKING:
    from pathlib import Path

STATUS = """\
Package: redis-server
Status: install ok installed
Architecture: amd64
Version: 5:8.0.2-3+deb13u1

Package: python3
Version: 3.13.5-1
"""


def tar_of(*members: tuple[tarfile.TarInfo, bytes]) -> io.BytesIO:
    """A tar file with these members, in this order."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for header, content in members:
            archive.addfile(header, io.BytesIO(content))
    packed.seek(0)
    return packed


def named(
    name: str, content: bytes = b"", *, mtime: int = 0, link_to: str = ""
) -> tuple[tarfile.TarInfo, bytes]:
    """A file, or a hard link to one."""
    header = tarfile.TarInfo(name)
    header.mtime, header.size = mtime, len(content)
    if link_to:
        header.type, header.linkname = tarfile.LNKTYPE, link_to
    return header, content


def test_order_and_younger_times_do_not_count(tmp_path: Path) -> None:
    """The same files, found in another order on a later day, give the same layer."""
    first = read_members(tar_of(named("./a", b"1", mtime=EPOCH + 5), named("./b", b"2", mtime=7)))
    second = read_members(tar_of(named("b", b"2", mtime=7), named("a", b"1", mtime=EPOCH + 999)))

    assert pack(first.values(), tmp_path) == pack(second.values(), tmp_path)


def test_layer_lies_under_its_digest(tmp_path: Path) -> None:
    """The folder of blobs has the packed layer under the digest that the manifest will name."""
    layer = pack([file_member("usr/bin/x", b"x", mode=0o755)], tmp_path)

    packed = (tmp_path / layer.digest.removeprefix("sha256:")).read_bytes()
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(packed))) as archive:
        assert archive.getnames() == ["usr/bin/x"]
    assert layer.size == len(packed)


def test_what_is_of_the_machine_is_left_out() -> None:
    """Logs, caches, names of the machine and a generated key are not shipped."""
    names = [
        "etc/hostname",
        "etc/ssl/private/ssl-cert-snakeoil.key",
        "var/log/dpkg.log",
        "var/cache/apt/x.bin",
    ]
    members = read_members(tar_of(*(named(f"./{name}") for name in (*names, "etc/passwd"))))

    assert list(members) == ["etc/passwd"]


def test_hard_link_becomes_a_file() -> None:
    """Its target may lie in a layer below, where a daemon does not look."""
    members = read_members(tar_of(named("perl", b"program"), named("perl5", link_to="perl")))

    assert members["perl5"].content == b"program"
    assert members["perl5"].header.isreg()


def test_only_what_is_new_or_changed_is_beyond() -> None:
    """Equal files stay in the layer below."""
    lower = read_members(tar_of(named("same", b"1"), named("changed", b"1")))
    upper = read_members(tar_of(named("same", b"1"), named("changed", b"2"), named("new", b"3")))

    assert set(beyond(lower, upper)) == {"changed", "new"}


def test_folders_of_a_new_file_keep_their_owner() -> None:
    """A daemon would give a folder that the layer leaves out to root."""
    home = folder_member("home", (7, 7), mode=0o700)
    changed = beyond({"home": home}, {"home": home, "home/new": file_member("home/new", b"", mode=0o644)})

    assert changed["home"].header.uid == 7


def test_folder_has_its_owner(tmp_path: Path) -> None:
    """A volume's folder belongs to the user that runs the container."""
    member = folder_member("data", (100, 102), mode=0o750)

    assert (member.header.uid, member.header.gid, member.header.mode) == (100, 102, 0o750)
    assert pack([member], tmp_path).size > 0


def test_version_is_upstreams() -> None:
    """Debian's epoch and revision are not part of what the server says."""
    assert package_version(STATUS, "redis-server") == "8.0.2"
    assert package_version(STATUS, "python3") == "3.13.5"


def test_missing_package_and_user_are_named() -> None:
    """What was not unpacked is said, not guessed."""
    with pytest.raises(ServiceMissing, match="postgresql-17 is not among the packages"):
        package_version(STATUS, "postgresql-17")
    with pytest.raises(ServiceMissing, match="no user redis in the image"):
        ids_of("root:x:0:0:root:/root:/bin/bash", "redis")
