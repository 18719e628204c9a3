"""The wheels of the flake's package follow the lock: downloaded by a real pip from a folder, hashed by a real Nix."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from nix_command import ROOT

from ragbed.errors import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

    from nix_command import Nix

PROJECT = """\
[build-system]
requires = ["tiny"]
[project]
dependencies = ["tiny>=1"]
"""
LOCK = """\
tiny==1.0 \\
    --hash=sha256:{digest}
    # via ragbed (pyproject.toml)
tool==1.0 \\
    --hash=sha256:{digest}
    # via ragbed (pyproject.toml:dev)
"""


@dataclass(frozen=True)
class Checkout:
    """A checkout whose lock has one package and one tool, and the folder where pip looks for them."""

    root: Path
    wheels: Path
    nix: Nix

    @property
    def pinned(self) -> dict[str, Any]:
        """What `wheels.json` says."""
        value: dict[str, Any] = json.loads((self.root / "nix/python/wheels.json").read_text())
        return value

    def update(self) -> subprocess.CompletedProcess[str]:
        """Run `scripts/update-pins wheels --yes` here, with no index."""
        return subprocess.run(
            [sys.executable, "-m", "ragbed.pins.updating", "wheels", "--yes"],
            capture_output=True,
            text=True,
            check=False,
            env=self.nix.variables(
                RAGBED_ROOT=str(self.root), PIP_NO_INDEX="1", PIP_FIND_LINKS=str(self.wheels)
            ),
        )


def make_wheel(folder: Path) -> Path:
    """Make the smallest wheel there is."""
    path = folder / "tiny-1.0-py3-none-any.whl"
    info = "tiny-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("tiny.py", "")
        file.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture
def checkout(nix: Nix, tmp_path: Path) -> Checkout:
    """A lock that is newer than `wheels.json`."""
    made = Checkout(root=tmp_path / "checkout", wheels=tmp_path / "wheels", nix=nix)
    shutil.copytree(ROOT / "nix", made.root / "nix")
    shutil.copy(ROOT / "stack.toml", made.root)
    made.wheels.mkdir()
    digest = sha256(make_wheel(made.wheels).read_bytes()).hexdigest()
    (made.root / "pyproject.toml").write_text(PROJECT)
    (made.root / "requirements.lock").write_text(LOCK.format(digest=digest))
    return made


def test_a_new_lock_is_downloaded_and_hashed_for_each_system(checkout: Checkout) -> None:
    """The hash is that of a folder with the package's wheels alone: the tool is not downloaded."""
    done = checkout.update()

    assert done.returncode == 0, done.stderr
    expected = checkout.nix.run("nix", "hash", "path", checkout.wheels).stdout.strip()
    assert checkout.pinned["systems"] == dict.fromkeys(
        ["aarch64-darwin", "aarch64-linux", "x86_64-linux"], expected
    )


def test_what_was_hashed_is_what_nix_would_ask_for(checkout: Checkout) -> None:
    """After it, Nix no longer finds `wheels.json` too old, and a second run has nothing to do."""
    checkout.update()

    wanted = checkout.nix.eval(f"(import {checkout.root}/nix/python/requirements.nix {{ }}).sha256")
    assert checkout.pinned["requirements"] == wanted
    assert checkout.update().stdout == "Every pin is up to date.\n"


def test_a_wheel_with_other_bytes_than_the_locks_is_refused(checkout: Checkout) -> None:
    """Pip's own check; nothing is written."""
    with (checkout.wheels / "tiny-1.0-py3-none-any.whl").open("ab") as wheel:
        wheel.write(b"x")
    before = checkout.pinned

    done = checkout.update()

    assert (done.returncode, checkout.pinned) == (ExitCode.SERVICE_MISSING, before)
    assert "pip cannot have a wheel" in done.stderr
    assert "hash" in done.stderr.lower()
