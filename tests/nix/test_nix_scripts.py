"""The scripts inside processes, tasks and shells: bash parses them, and shellcheck finds nothing."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from evaluated import Shown, evaluate

if TYPE_CHECKING:
    from pathlib import Path

    from nix_command import Nix

CONFIGURATIONS = {
    "the project": "[ ./devenv.nix ]",
    "models by ragbed": '[ ./devenv.nix { services.ollama.modelsFrom = "ragbed"; } ]',
    "no models": "[ ./nix/modules/ollama.nix { services.ollama.enable = true; } ]",
}


def scripts_of(shown: Shown, folder: Path) -> list[Path]:
    """Return every script of a configuration as a file: what commands run, and what is written in place."""
    processes, tasks = shown["processes"].values(), shown["tasks"].values()
    commands = [one["exec"] for one in (*processes, *tasks)]
    commands += [one["ready"]["exec"] for one in processes if one["ready"] and one["ready"]["exec"]]
    inline = [*commands, shown["enterShell"], shown["enterTest"], *shown["scripts"].values()]
    found = {shown.script(one) for one in commands if re.search(r"/store/[a-z0-9]{32}-[\w-]+$", one)}
    for number, text in enumerate(inline):
        file = folder / f"inline-{number}"
        file.write_text(f"#!/usr/bin/env bash\n{text}\n")
        found.add(file)
    return sorted(found)


@pytest.fixture(scope="module", params=CONFIGURATIONS)
def scripts(request: pytest.FixtureRequest, nix: Nix, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The scripts of a configuration."""
    shown = evaluate(nix, CONFIGURATIONS[request.param])
    return scripts_of(shown, tmp_path_factory.mktemp("scripts"))


def test_bash_parses_every_script(scripts: list[Path]) -> None:
    """No script has a syntax error."""
    wrong = [
        done.stderr
        for script in scripts
        if (
            done := subprocess.run(["bash", "-n", script], capture_output=True, text=True, check=False)
        ).returncode
    ]

    assert wrong == []
    assert any(script.name.endswith("start-ollama") for script in scripts)


def test_shellcheck_finds_nothing_in_any_script(scripts: list[Path]) -> None:
    """The scripts are held to what the repository's own are."""
    if shutil.which("shellcheck") is None:
        pytest.skip("there is no shellcheck on PATH")

    done = subprocess.run(
        ["shellcheck", "--shell=bash", *scripts], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout
