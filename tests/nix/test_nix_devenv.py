"""The project under devenv's real modules, and its shell, entered by plain `nix develop`.

Needs `RAGBED_MIRROR`; `scripts/check-nix` is the command. See `devenv_lab.py` for what is real.
"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

import pytest
from devenv_lab import ACCEPTED
from evaluated import evaluate
from nix_command import EXPRESSIONS, ROOT, Nix

from ragbed.pins import load_stack_pins

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from devenv_lab import Lab

SYSTEM = f"{os.uname().machine}-linux"
SHELL = f"devShells.{SYSTEM}.default"


def evaluated(done: subprocess.CompletedProcess[str]) -> tuple[dict[str, Any], list[str]]:
    """Return the value that was evaluated, and the warnings on the way."""
    assert done.returncode == 0, done.stderr
    value: dict[str, Any] = json.loads(done.stdout)
    return value, [
        line for line in done.stderr.splitlines() if re.match(r"(evaluation )?warning:|trace:", line)
    ]


@pytest.fixture(scope="module")
def flake_mode(lab: Lab) -> tuple[dict[str, Any], list[str]]:
    """The project as its flake evaluates it, and the warnings."""
    shown = f"config: import {EXPRESSIONS}/of_devenv.nix config"
    words = ["nix", "eval", "--impure", "--json", f"path:.#{SHELL}.config", "--apply", shown]
    return evaluated(lab.run(*words, **ACCEPTED))


@pytest.fixture(scope="module")
def cli_mode(lab: Lab) -> tuple[dict[str, Any], list[str]]:
    """The project as devenv's command line evaluates it, and the warnings."""
    version = json.loads((ROOT / "devenv.lock").read_text())["nodes"]["devenv"]["original"]["ref"]
    arguments = (
        f'{{ devenv = {lab.devenv}; project = "{lab.project}"; version = "{version.removeprefix("v")}"; }}'
    )
    expression = f"import {EXPRESSIONS}/of_devenv.nix (import {EXPRESSIONS}/cli_mode.nix {arguments})"
    return evaluated(lab.run("nix", "eval", "--impure", "--json", "--expr", expression))


def test_the_flake_evaluates_without_a_warning(flake_mode: tuple[dict[str, Any], list[str]]) -> None:
    """No assertion fails under devenv's own modules, and nobody warns."""
    value, warnings = flake_mode

    assert (value["failed"], value["warnings"], warnings) == ([], [], [])


def test_devenvs_command_line_evaluates_without_a_warning(cli_mode: tuple[dict[str, Any], list[str]]) -> None:
    """The same for `devenv.yaml` and `devenv.lock`."""
    value, warnings = cli_mode

    assert (value["failed"], value["warnings"], warnings) == ([], [], [])


def nameless(value: Any) -> Any:
    """Return a value without what differs between the ways to evaluate: hashes of the store, folders of devenv."""
    text = re.sub(r"/[\w/.-]+/store/[a-z0-9]{32}-", "/store/", json.dumps(value))
    text = re.sub(r"--(runtime|cache)-dir \S+", r"--\1-dir DIR", text)
    return json.loads(text)


@pytest.mark.parametrize("part", ["processes", "tasks"])
def test_both_modes_start_the_same(
    flake_mode: tuple[dict[str, Any], list[str]], cli_mode: tuple[dict[str, Any], list[str]], part: str
) -> None:
    """Processes and tasks are equal under the flake and under devenv's command line."""
    assert nameless(flake_mode[0][part]) == nameless(cli_mode[0][part])


def test_the_small_module_system_shows_what_devenv_makes_of_the_project(
    flake_mode: tuple[dict[str, Any], list[str]], nix: Nix
) -> None:
    """What tests without a mirror look at is what devenv's own modules give."""
    real, small = nameless(flake_mode[0]), nameless(evaluate(nix, "[ ./devenv.nix ]").value)

    ours = {"qdrant", "ollama", "rag-api", "ollama-models"}
    for name in ours:
        small_ready = small["processes"][name]["ready"]
        assert real["processes"][name]["ready"] == (
            small_ready and {key: value for key, value in small_ready.items() if key != "exec"}
        )
        for part in ("after", "env", "ports"):
            assert real["processes"][name][part] == small["processes"][name][part], (name, part)
    for name, task in small["tasks"].items():
        assert real["tasks"][name] == {key: value for key, value in task.items() if key != "exec"}
    moved = {"DEVENV_ROOT", "DEVENV_STATE", "PGDATA", "RAGBED_VENV"}
    assert {name: real["env"][name] for name in small["env"]} | dict.fromkeys(moved, "") == {
        **small["env"],
        **dict.fromkeys(moved, ""),
    }


SAYS = 'echo "root=$DEVENV_ROOT"; type -p devenv psql redis-server qdrant ollama ragbed; ragbed --version'


@pytest.mark.parametrize("accepted", [False, True], ids=["not accepted", "accepted"])
def test_plain_nix_develop_enters_the_shell(lab: Lab, accepted: bool) -> None:
    """Without a flag, whether or not the flake's configuration is accepted, every program is there."""
    done = lab.run("nix", "develop", "-c", "bash", "-euc", SAYS, **(ACCEPTED if accepted else {}))

    assert done.returncode == 0, done.stderr
    assert f"root={lab.project}" in done.stdout
    assert "  devenv up " in done.stdout
    assert "ragbed, version" in done.stdout


def test_the_shell_is_the_same_wherever_and_whenever_it_is_entered(lab: Lab, tmp_path: Path) -> None:
    """Its state is the project's, not the folder's; temporary files lie where the user has them."""
    says = 'echo "root=$DEVENV_ROOT"; echo "temporary=$TMPDIR"'
    done = lab.run(
        "nix", "develop", "-c", "bash", "-c", says, below="docs/lessons", TMPDIR=str(tmp_path), **ACCEPTED
    )

    assert done.returncode == 0, done.stderr
    assert f"root={lab.project}\n" in done.stdout
    assert f"temporary={tmp_path}\n" in done.stdout


def test_devenv_test_proves_the_pipeline_on_a_stack_of_its_own(lab: Lab) -> None:
    """Nothing is up, the shell's addresses lead nowhere, and the smoke test passes all the same."""
    done = lab.run("nix", "develop", "-c", "devenv", "test", MODEL_PROVIDER="mock")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "a stack of this run" in done.stdout + done.stderr


def test_ragbed_would_start_the_shells_postgres(lab: Lab) -> None:
    """A package of Nix has no pg_config: it is taken all the same, before the wheel's, and the doctor shows it."""
    alone = "env -u DATABASE_URL RAGBED_STACK__DEFAULT_PORTS=false ragbed doctor --json"
    done = lab.run("nix", "develop", "-c", "bash", "-c", alone)

    findings = json.loads(done.stdout[done.stdout.index("{") :])["findings"]
    (postgres,) = [one for one in findings if one["topic"] == "postgres"]
    assert re.search(rf"{lab.nix.folder}/store/[^/]+/bin/postgres on PATH", postgres["seen"]), postgres


def test_the_shell_for_ci_has_all_programs_and_a_python_that_wheels_run_on(lab: Lab) -> None:
    """Its environment is not another Python's, and finds the libraries that wheels expect of every Linux."""
    says = 'type -p psql redis-server qdrant python3 shellcheck; echo "libraries=$LD_LIBRARY_PATH"; echo "$RAGBED_VENV"'
    done = lab.run("nix", "develop", ".#ci", "-c", "bash", "-euc", says)

    assert done.returncode == 0, done.stderr
    *programs, libraries, environment = done.stdout.splitlines()
    assert len(programs) == 5
    assert re.fullmatch(r"libraries=/\S+/lib:/\S+/lib", libraries)
    assert re.fullmatch(rf"{re.escape(str(lab.project))}/\.ragbed/venv-[0-9.]+-[0-9a-f]{{8}}", environment)


def test_entering_the_shell_makes_no_model(lab: Lab) -> None:
    """The shell holds the recipe of the models, and no blob is made or fetched for it."""
    done = lab.run("nix", "print-dev-env", "--impure", "--json", "path:.#default", **ACCEPTED)
    assert done.returncode == 0, done.stderr

    names = {path.name.partition("-")[2] for path in (lab.nix.folder / "store").iterdir()}

    assert "ollama-models.drv" in names
    assert {name for name in names if name.startswith("ollama-blob-") and not name.endswith(".drv")} == set()
    assert "ollama-models" not in names


OUTPUTS = {
    "devShells": "shells: builtins.mapAttrs (_: one: one.drvPath) shells",
    "checks": "checks: builtins.mapAttrs (_: one: one.drvPath) checks",
    "formatter": "formatter: formatter.drvPath",
    "packages": 'packages: builtins.mapAttrs (_: one: one.drvPath) (removeAttrs packages [ "ragbed" ])',
}


@pytest.mark.parametrize("system", ["x86_64-linux", "aarch64-darwin"])
@pytest.mark.parametrize("output", OUTPUTS)
def test_every_output_evaluates_purely(lab: Lab, output: str, system: str) -> None:
    """No flag is wanted, as `nix flake check` gives none."""
    done = lab.run("nix", "eval", "--json", f"path:.#{output}.{system}", "--apply", OUTPUTS[output])

    assert done.returncode == 0, done.stderr
    assert ".drv" in done.stdout


def test_the_flake_passes_its_check(lab: Lab) -> None:
    """`nix flake check` finds nothing wrong in any output on any of the three systems."""
    if not lab.nix.eval("builtins ? readFileType"):
        pytest.skip(
            "this Nix is older than nixpkgs' lib wants: the package of ragbed does not evaluate with it"
        )

    done = lab.run("nix", "flake", "check", "--no-build", "--all-systems", "path:.")

    assert done.returncode == 0, done.stderr


SECOND = """{
  inputs.ragbed.url = "path:%s";
  inputs.nixpkgs.follows = "ragbed/nixpkgs";
  inputs.devenv.follows = "ragbed/devenv";
  outputs = { self, ragbed, nixpkgs, devenv }@inputs: {
    shell = devenv.lib.mkShell {
      inherit inputs;
      pkgs = nixpkgs.legacyPackages.x86_64-linux;
      modules = [
        {
          imports = with ragbed.devenvModules; [ qdrant ollama ];
          services.qdrant.enable = true;
          services.ollama = { enable = true; models = [ "all-minilm" ]; };
        }
      ];
    };
  };
}
"""


def test_a_second_flake_gets_its_qdrant_and_its_ollama(lab: Lab, tmp_path: Path) -> None:
    """Five lines that import the flake's modules are enough, under devenv's own modules too."""
    (tmp_path / "flake.nix").write_text(SECOND % lab.project)
    shown = (
        "c: { processes = builtins.attrNames c.processes; url = c.env.QDRANT_URL; shell = c.shell.drvPath; }"
    )

    done = lab.nix.run(
        "nix", "eval", "--impure", "--json", "path:.#shell.config", "--apply", shown, cwd=tmp_path
    )

    assert done.returncode == 0, done.stderr
    value = json.loads(done.stdout)
    assert value["processes"] == ["ollama", "ollama-models", "qdrant"]
    assert value["url"].endswith(f":{load_stack_pins(ROOT / 'stack.toml')['qdrant'].port}")
