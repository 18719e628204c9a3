"""`flake.nix`, its lock and devenv's: they parse, are complete, agree, and need nothing for what uses no input."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from nix_command import ROOT

from ragbed.pins import load_stack_pins

if TYPE_CHECKING:
    from pathlib import Path

    from nix_command import Nix

OUTPUTS_WITHOUT_INPUT = [".#lib.services.qdrant.port", ".#lib.models.names", ".#devenvModules.qdrant"]


def tracked(pattern: str) -> list[str]:
    """Return the files of the checkout that a flake of it would see."""
    listed = subprocess.run(
        ["git", "ls-files", pattern], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The part of the checkout that the flake is made of, outside any Git checkout."""
    folder = tmp_path / "project"
    for name in [*tracked("*.nix"), *tracked("nix/*"), "flake.lock", "stack.toml", "models.lock.json"]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


def lock_of(name: str) -> dict[str, Any]:
    """Return the nodes of a lock."""
    nodes: dict[str, Any] = json.loads((ROOT / name).read_text())["nodes"]
    return nodes


def locked(name: str, wanted: str) -> dict[str, Any]:
    """Return what a lock pins an input of the root to, without the folder below it."""
    nodes = lock_of(name)
    node = nodes[nodes["root"]["inputs"][wanted]]
    return {key: value for key, value in node["locked"].items() if key != "dir"}


def test_every_nix_file_parses(nix: Nix) -> None:
    """Nothing that is committed is a syntax error."""
    files = tracked("*.nix")

    done = nix.run("nix-instantiate", "--parse", *files)

    assert done.returncode == 0, done.stderr
    assert len(files) > 20


def test_the_lock_is_what_nix_would_write(fresh_nix: Nix, copy: Path) -> None:
    """Without a network and with an empty store, Nix reads the flake and finds nothing to change in its lock."""
    done = fresh_nix.run("nix", "flake", "metadata", "--no-update-lock-file", "path:.", cwd=copy)

    assert done.returncode == 0, done.stderr


def test_the_flake_asks_for_a_cache_and_for_nothing_else(nix: Nix) -> None:
    """A yes gives nobody more than that; any other setting would be a question more."""
    asked = nix.eval("(import ./flake.nix).nixConfig")

    assert set(asked) == {"extra-substituters", "extra-trusted-public-keys"}


@pytest.mark.parametrize("output", OUTPUTS_WITHOUT_INPUT)
def test_what_uses_no_input_is_there_without_any(fresh_nix: Nix, copy: Path, output: str) -> None:
    """The pins and the modules evaluate without a network and with an empty store."""
    done = fresh_nix.run("nix", "eval", "--no-write-lock-file", "--json", f"path:{output}", cwd=copy)

    assert done.returncode == 0, done.stderr
    if output.endswith("port"):
        assert json.loads(done.stdout) == load_stack_pins(ROOT / "stack.toml")["qdrant"].port


@pytest.mark.parametrize("wanted", ["nixpkgs", "devenv"])
def test_both_locks_pin_the_same_revision(wanted: str) -> None:
    """The flake's shell and devenv's command line have the same revision with the same digest."""
    assert locked("flake.lock", wanted) == locked("devenv.lock", wanted)


def test_the_lock_of_devenv_fits_its_inputs() -> None:
    """`devenv.yaml` wants what `devenv.lock` was written for."""
    wanted = yaml.safe_load((ROOT / "devenv.yaml").read_text())["inputs"]
    nodes = lock_of("devenv.lock")

    assert set(wanted) == set(nodes["root"]["inputs"])
    assert {name: one["url"] for name, one in wanted.items()} == {
        name: _url(nodes[node]["original"]) for name, node in nodes["root"]["inputs"].items()
    }


def _url(original: dict[str, str]) -> str:
    folder = f"?dir={original['dir']}" if "dir" in original else ""
    return f"github:{original['owner']}/{original['repo']}/{original['ref']}{folder}"


def test_every_locked_source_is_one_that_others_can_fetch() -> None:
    """No lock names a path of a machine."""
    nodes = [*lock_of("flake.lock").values(), *lock_of("devenv.lock").values()]

    assert {node["locked"]["type"] for node in nodes if "locked" in node} == {"github"}
