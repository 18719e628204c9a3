"""The wheels that the images install, fetched beforehand and compared with the lock: the build itself is offline."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from ragbed.containers.image import architecture
from ragbed.errors import ServiceMissing

if TYPE_CHECKING:
    from pathlib import Path

_PLATFORMS = {"amd64": "x86_64", "arm64": "aarch64"}


def fetch_wheels(lock: Path, target: Path, *, python: str) -> None:
    """Fill a folder with the wheels of a lock, each of a digest that the lock names.

    Args:
        lock: Requirements with hashes.
        target: The folder.
        python: Version of the interpreter in the image, for example `3.13`.

    Raises:
        ServiceMissing: They cannot be had.
    """
    processor = _PLATFORMS.get(architecture(), architecture())
    platforms = [f"--platform=manylinux_2_{minor}_{processor}" for minor in (34, 28, 17)]
    platforms.append(f"--platform=manylinux2014_{processor}")
    wanted = target / "wanted.txt"
    uv = ["uv", "pip", "compile", "--quiet", "--no-deps", "--generate-hashes", "--no-header", "--no-annotate"]
    # pip would judge the lock's conditions by this interpreter, not by the image's.
    _run(
        *uv,
        f"--python-version={python}",
        f"--python-platform={processor}-manylinux_2_28",
        str(lock),
        f"-o{wanted}",
    )
    pip = ["pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps", "--require-hashes"]
    _run(
        *pip,
        "--only-binary=:all:",
        *platforms,
        f"--python-version={python}",
        f"--dest={target}",
        f"-r{wanted}",
    )
    wanted.unlink()


def _run(module: str, *words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, *words],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        raise ServiceMissing(
            f"{module} did not fetch the wheels of the images", details=done.stderr.strip().splitlines()[-3:]
        )
