"""docs/nix.md says what is so: its outputs exist, its example evaluates, its commands are there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from nix_command import ROOT

from ragbed.cli import COMMANDS

if TYPE_CHECKING:
    from pathlib import Path

    from nix_command import Nix

PAGE = (ROOT / "docs" / "nix.md").read_text(encoding="utf-8")
_FENCES = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def fences(language: str) -> list[str]:
    """Return the page's fences of a language."""
    return [text for name, text in _FENCES if name == language]


def test_outputs_that_are_named_exist(nix: Nix) -> None:
    """`nix run .#x`, `nix build .#x` and `nix develop .#x` lead to something."""
    kinds = {"run": "apps", "build": "packages", "develop": "devShells"}
    named = {(kinds[kind], name) for kind, name in re.findall(r"nix (run|build|develop) \.#([\w-]+)", PAGE)}
    there = nix.eval(
        """
        let outputs = import ./nix/outputs.nix {
          self = { packages = { }; };
          nixpkgs.legacyPackages = { x86_64-linux = { }; };
          devenv.lib.mkShell = null;
        };
        in builtins.mapAttrs (_: kind: builtins.attrNames kind.x86_64-linux) {
          inherit (outputs) apps packages devShells;
        }
        """
    )

    assert {kind for kind, _ in named} == {"apps", "packages", "devShells"}
    assert [(kind, name) for kind, name in sorted(named) if name not in there[kind]] == []


def test_the_example_for_another_project_evaluates(nix: Nix, tmp_path: Path) -> None:
    """Its five lines give that project Qdrant and Ollama."""
    (text,) = [fence for fence in fences("nix") if "inputs.ragbed" in fence]
    (tmp_path / "devenv.nix").write_text(text, encoding="utf-8")

    shown = nix.eval(
        f"""
        let
          ragbed = (import ./nix/outputs.nix {{ self = null; nixpkgs = null; devenv = null; }});
          project = args: import {tmp_path}/devenv.nix (args // {{ inputs.ragbed = ragbed; }});
          shown = (import ./tests/nix/mini {{ modules = [ (project {{ }}) ]; }}).shown;
        in {{ processes = builtins.attrNames shown.processes; inherit (shown) failed; }}
        """
    )

    assert shown == {"processes": ["ollama", "ollama-models", "qdrant"], "failed": []}


@pytest.mark.parametrize("fence", fences("bash"), ids=lambda fence: fence.splitlines()[0])
def test_commands_of_the_page_exist(fence: str) -> None:
    """Each line begins with a program of Nix's world, a script of this checkout, or a command of ragbed."""
    words = [
        [word for word in line.partition(" #")[0].split() if "=" not in word] for line in fence.splitlines()
    ]
    for first, *rest in filter(None, words):
        if first == "ragbed":
            assert rest[0] in COMMANDS
        elif "/" in first:
            assert (ROOT / first).is_file()
        else:
            assert first in {"nix", "devenv", "direnv", "git"}


def test_refusals_that_are_explained_are_ours() -> None:
    """The texts of our own refusals stand in the Nix files as the page has them."""
    modules = [path for path in (ROOT / "nix").rglob("*") if path.suffix in {".nix", ".sh"}]
    files = "".join(path.read_text(encoding="utf-8") for path in modules)
    ours = (
        "is taken by",
        "is not the one of this project",
        "nix/python/wheels.json is older than requirements.lock",
        "this nixpkgs has ",
        "and ${shown} pins ",
    )

    assert [text for text in ours if text not in files] == []
    assert [text for text in ours[:4] if text not in PAGE] == []
