"""Roots of images: Debian packages unpacked into a tar file by `mmdebstrap`."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from ragbed.containers.recipes import EPOCH, SUITE
from ragbed.errors import ServiceMissing

if TYPE_CHECKING:
    from ragbed.containers.recipes import Recipe

MIRROR = "http://deb.debian.org"
"""Where Debian's packages come from, with the folders `debian` and `debian-security`."""

_NO_DOCUMENTATION = (
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/locale/*",
    "path-exclude=/usr/share/man/*",
)
_NO_CLUSTER = """\
folder=$1/etc/postgresql-common
mkdir -p "$folder" && echo "create_main_cluster = false" >"$folder/createcluster.conf"
"""


def require_mmdebstrap() -> None:
    """Refuse to go on where roots cannot be made.

    Raises:
        ServiceMissing: The program is not installed, or this user may not make a root.
    """
    if not shutil.which("mmdebstrap"):
        raise ServiceMissing(
            "there is no mmdebstrap to make images of Debian packages with",
            hint="apt-get install mmdebstrap docker-registry",
        )
    if os.geteuid() and not (shutil.which("newuidmap") and _has_subordinate_ids()):
        raise ServiceMissing(
            "images of Debian packages are made by root, or in a user namespace, and this user has none",
            details=["looked for: newuidmap, and a line of this user in /etc/subuid"],
            hint="sudo ./scripts/build-images, or apt-get install uidmap and usermod --add-subuids",
        )


def make_root(recipe: Recipe, target: Path, *, mirror: str) -> None:
    """Unpack a recipe's packages into a tar file.

    Args:
        recipe: Which image's.
        target: The tar file.
        mirror: Where the packages come from.

    Raises:
        ServiceMissing: They cannot be had.
    """
    excluded = [f"path-exclude={pattern}" for pattern in recipe.excluded]
    words = ["mmdebstrap", "--quiet", "--variant=essential"]
    words += [f"--include={','.join(recipe.packages)}"] if recipe.packages else []
    words += [f"--dpkgopt={line}" for line in (*_NO_DOCUMENTATION, *excluded, "force-confold")]
    words += [f"--essential-hook={_NO_CLUSTER}"] if recipe.name == "postgres" else []
    words += [SUITE, str(target), *_sources(mirror)]
    done = subprocess.run(
        words,
        env={**os.environ, "SOURCE_DATE_EPOCH": str(EPOCH)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ServiceMissing(
            f"mmdebstrap did not make the root of {recipe.name}",
            details=done.stderr.strip().splitlines()[-6:],
            hint="look at the lines above; --mirror names another mirror of Debian",
        )


def _sources(mirror: str) -> list[str]:
    places = (("debian", SUITE), ("debian", f"{SUITE}-updates"), ("debian-security", f"{SUITE}-security"))
    return [f"deb {mirror}/{folder} {suite} main" for folder, suite in places]


def _has_subordinate_ids() -> bool:
    try:
        lines = Path("/etc/subuid").read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    import getpass  # noqa: PLC0415  # seldom needed

    return any(line.split(":")[0] in {getpass.getuser(), str(os.geteuid())} for line in lines)
