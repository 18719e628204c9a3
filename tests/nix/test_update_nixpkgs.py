"""A newer nixpkgs: both lock files and the versions in `stack.toml` move together, asked of a real Nix."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from nix_command import ROOT

from ragbed.errors import ExitCode
from ragbed.pins import load_stack_pins
from ragbed.pins.updating.inputs import with_nixpkgs_at

if TYPE_CHECKING:
    from pathlib import Path

    from nix_command import Nix

OLD = "1" * 40


@dataclass(frozen=True)
class Checkout:
    """A checkout's pin files, and a nixpkgs beside it that is a Git repository on this machine."""

    root: Path
    nixpkgs: Path
    nix: Nix

    def update(self, *words: str, answer: str = "") -> subprocess.CompletedProcess[str]:
        """Run `scripts/update-pins nix` here."""
        reference = f"git+file://{self.nixpkgs}"
        return subprocess.run(
            [sys.executable, "-m", "ragbed.pins.updating", "nix", "--nixpkgs", reference, *words],
            capture_output=True,
            text=True,
            check=False,
            input=answer,
            cwd=self.root,
            env=self.nix.variables(RAGBED_ROOT=str(self.root)),
        )

    def package(self, **versions: str) -> None:
        """Let nixpkgs have these versions, by attribute; the others as pinned."""
        pins = load_stack_pins(ROOT / "stack.toml")
        channels = [pins.python.nix, *(one.channels.nix for one in pins.services.values())]
        every = {channel.attribute: channel.version for channel in channels} | versions
        body = "".join(f'{name}.version = "{version}";' for name, version in every.items())
        (self.nixpkgs / "flake.nix").write_text("{ outputs = _: { }; }")
        (self.nixpkgs / "default.nix").write_text(f"{{ config, overlays }}: {{ {body} }}")
        git(self.nixpkgs, "add", "-A")
        git(self.nixpkgs, "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "versions")

    def locked(self, name: str) -> dict[str, Any]:
        """Return where a lock has nixpkgs."""
        value: dict[str, Any] = json.loads((self.root / name).read_text())["nodes"]["nixpkgs"]["locked"]
        return value

    def texts(self) -> dict[str, str]:
        """Return every file of the checkout."""
        return {path.name: path.read_text() for path in self.root.iterdir()}


def git(folder: Path, *words: str) -> str:
    """Run git there."""
    return subprocess.run(
        ["git", *words], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def lock(rev: str) -> str:
    """Return a lock with one input."""
    locked = {
        "lastModified": 1,
        "narHash": "sha256-x",
        "owner": "o",
        "repo": "nixpkgs",
        "rev": rev,
        "type": "github",
    }
    original = {"owner": "o", "ref": "branch", "repo": "nixpkgs", "type": "github"}
    nodes = {"nixpkgs": {"locked": locked, "original": original}, "root": {"inputs": {"nixpkgs": "nixpkgs"}}}
    return json.dumps({"nodes": nodes, "root": "root", "version": 7}, indent=2, sort_keys=True) + "\n"


@pytest.fixture
def checkout(nix: Nix, tmp_path: Path) -> Checkout:
    """Pin files that agree with the nixpkgs beside them."""
    made = Checkout(root=tmp_path / "checkout", nixpkgs=tmp_path / "nixpkgs", nix=nix)
    for folder in (made.root, made.nixpkgs):
        folder.mkdir()
    for name in ("stack.toml", "pyproject.toml"):
        (made.root / name).write_text((ROOT / name).read_text())
    for name in ("flake.lock", "devenv.lock"):
        (made.root / name).write_text(lock(OLD))
    git(made.nixpkgs, "init", "-q")
    made.package()
    return made


def test_both_locks_and_the_versions_move_together(checkout: Checkout) -> None:
    """The new revision and hash are in both locks, and its versions in the pin file; nothing else changes."""
    checkout.package(qdrant="1.18.9")
    before = (checkout.root / "stack.toml").read_text()
    pinned = load_stack_pins(ROOT / "stack.toml")["qdrant"].channels.nix.version

    done = checkout.update("--yes")

    assert done.returncode == 0, done.stderr
    locked = checkout.locked("flake.lock")
    assert locked == checkout.locked("devenv.lock")
    assert (locked["rev"], locked["type"]) == (git(checkout.nixpkgs, "rev-parse", "HEAD"), "github")
    assert locked["narHash"].startswith("sha256-")
    after = (checkout.root / "stack.toml").read_text()
    changed = [
        pair for pair in zip(before.splitlines(), after.splitlines(), strict=True) if pair[0] != pair[1]
    ]
    assert changed == [
        (
            f'nix = {{ attribute = "qdrant", version = "{pinned}" }}',
            'nix = { attribute = "qdrant", version = "1.18.9" }',
        )
    ]


def test_what_changes_is_told(checkout: Checkout) -> None:
    """A diff of the files, then a line per pin."""
    checkout.package(redis="8.8.1")
    pinned = load_stack_pins(ROOT / "stack.toml")["redis"].channels.nix.version

    shown = checkout.update("--dry-run").stdout

    assert f"services.redis.channels.nix.version: {pinned} -> 8.8.1" in shown
    assert f"flake.lock: nixpkgs {OLD[:12]} -> {git(checkout.nixpkgs, 'rev-parse', 'HEAD')[:12]}" in shown
    assert "--- a/devenv.lock" in shown


@pytest.mark.parametrize(
    ("words", "answer", "code"),
    [(["--dry-run"], "", 0), ([], "no\n", ExitCode.USAGE), ([], "", ExitCode.USAGE)],
    ids=["dry run", "no", "nobody there"],
)
def test_nothing_is_written_without_a_yes(
    words: list[str], answer: str, code: int, checkout: Checkout
) -> None:
    """A dry run, a no and no answer leave every file as it is."""
    checkout.package(redis="8.8.1")
    before = checkout.texts()

    done = checkout.update(*words, answer=answer)

    assert (done.returncode, checkout.texts()) == (code, before)


def test_a_version_outside_its_own_range_is_refused(checkout: Checkout) -> None:
    """What would be a wrong pin file is not written: key, found and expected are told."""
    checkout.package(qdrant="2.0.0")
    before = checkout.texts()

    done = checkout.update("--yes")

    assert (done.returncode, checkout.texts()) == (ExitCode.USAGE, before)
    assert "services.qdrant.channels.nix.version" in done.stderr
    assert "found '2.0.0', expected a version in qdrant >=1.18" in done.stderr


def test_locks_that_do_not_agree_are_refused(checkout: Checkout) -> None:
    """One of them was changed alone: which is right is not guessed."""
    (checkout.root / "devenv.lock").write_text(lock("2" * 40))

    done = checkout.update("--yes")

    assert done.returncode == ExitCode.DRIFT
    assert "devenv.lock has nixpkgs at 222222222222, and flake.lock at 111111111111" in done.stderr


def test_an_attribute_that_is_gone_is_told_as_nix_tells_it(checkout: Checkout) -> None:
    """Nothing is written, and Nix's own words name the attribute."""
    default = checkout.nixpkgs / "default.nix"
    default.write_text(default.read_text().replace("qdrant.version", "gone.version"))
    git(checkout.nixpkgs, "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qam", "gone")

    done = checkout.update("--yes")

    assert done.returncode == ExitCode.SERVICE_MISSING
    assert "attribute 'qdrant' missing" in done.stderr


@pytest.mark.parametrize("name", ["flake.lock", "devenv.lock"])
def test_the_locks_of_this_checkout_are_written_as_nix_writes_them(name: str) -> None:
    """A change of nixpkgs in them changes three lines, and no other byte."""
    text = (ROOT / name).read_text(encoding="utf-8")

    moved = with_nixpkgs_at(text, {"rev": "0" * 40, "narHash": "sha256-new", "lastModified": 7})

    pairs = zip(text.splitlines(), moved.splitlines(), strict=True)
    changed = [after.split('"')[1] for before, after in pairs if before != after]
    assert changed == ["lastModified", "narHash", "rev"]
    assert moved.endswith("}\n")
