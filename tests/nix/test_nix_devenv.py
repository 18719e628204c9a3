"""The project under devenv's real modules, entered by plain `nix develop`; its processes are real servers.

Needs `RAGBED_MIRROR`; `scripts/check-nix` is the command. See `devenv_lab.py` for what is real.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from queue import Empty, Queue
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, Any

import pytest
from devenv_lab import Lab, make_lab, missing_mirror, programs_of_this_machine
from evaluated import evaluate
from nix_command import EXPRESSIONS, ROOT, Nix, missing_nix

from made.program import known_program
from ragbed.pins import load_stack_pins

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHELL = (
    "devShells.x86_64-linux.default" if os.uname().machine == "x86_64" else "devShells.aarch64-linux.default"
)
ACCEPTED = {"NIX_CONFIG": "accept-flake-config = true\nsubstitute = false"}
BACKING = ["postgres", "redis", "qdrant", "ollama"]
# Postgres refuses root, and names its first user after whoever starts it.
AS_NOBODY = ["unshare", "--user", "--map-user=65534", "--map-group=65534", "--"] if os.geteuid() == 0 else []


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """A copy of the project that finds all its inputs on this machine."""
    if reason := missing_nix() or missing_mirror():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("lab")
    programs = programs_of_this_machine(folder / "bin", ollama=known_program())
    (folder / "work").mkdir()
    return make_lab(Nix.prepared(folder / "nix"), folder / "work", programs=programs)


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
    """Return a value without the store's folder and hashes, which differ between the ways to evaluate."""
    text = re.sub(r"/[\w/.-]+/store/[a-z0-9]{32}-", "/store/", json.dumps(value))
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

    ours = set(BACKING[2:]) | {"rag-api", "ollama-models"}
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


def test_the_shell_entered_below_the_root_is_the_same(lab: Lab) -> None:
    """Its state is the project's, not the folder's."""
    done = lab.run("nix", "develop", "-c", "bash", "-c", 'echo "root=$DEVENV_ROOT"', below="docs/lessons")

    assert done.returncode == 0, done.stderr
    assert f"root={lab.project}\n" in done.stdout


def test_devenv_test_proves_the_pipeline_on_a_stack_of_its_own(lab: Lab) -> None:
    """Nothing is up, the shell's addresses lead nowhere, and the smoke test passes all the same."""
    done = lab.run("nix", "develop", "-c", "devenv", "test", MODEL_PROVIDER="mock")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "a stack of this run" in done.stdout + done.stderr


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


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


class Up:
    """`devenv up` in a shell that plain `nix develop` enters."""

    def __init__(self, lab: Lab, models: Path) -> None:
        self.lab = lab
        self.models = models
        self.said: list[str] = []
        self.process = lab.popen(*AS_NOBODY, "nix", "develop", "-c", "devenv", "up", RAGBED_BLOBS=str(models))
        self._lines: Queue[str] = Queue()
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            for line in output:
                self._lines.put(line)

    def wait_for(self, *texts: str, timeout_s: float) -> None:
        """Wait until lines have held all of some texts."""
        end = monotonic() + timeout_s
        missing = {text for text in texts if not any(text in line for line in self.said)}
        while missing and monotonic() < end:
            try:
                self.said.append(self._lines.get(timeout=1.0))
            except Empty:
                if self.process.poll() is not None:
                    break
                continue
            missing = {text for text in missing if text not in self.said[-1]}
        assert not missing, f"not said: {missing}\n{''.join(self.said[-80:])}"

    def end(self) -> None:
        """End it as a terminal does, and wait until everything has ended."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.wait_for("process-compose: all have ended", timeout_s=60)
        self.process.wait(timeout=30)
        self._reader.join(timeout=30)

    def shell(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command in a shell of another terminal."""
        return self.lab.run(*AS_NOBODY, "nix", "develop", "-c", *words, RAGBED_BLOBS=str(self.models))

    def elsewhere(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run ragbed in a terminal that knows nothing of the shell."""
        return self.lab.run(sys.executable, "-m", "ragbed", *words, RAGBED_ROOT=str(self.lab.project))


@contextmanager
def started(lab: Lab, models: Path) -> Iterator[Up]:
    """Start everything and end it on every way out."""
    up = Up(lab, models)
    try:
        yield up
    finally:
        up.end()


@pytest.fixture(scope="module")
def made(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """The project with the made models, on ports that are free."""
    pins = load_stack_pins(ROOT / "stack.toml")
    old = [*(pins[name].port for name in BACKING), pins.app.port]
    return lab.variant(
        tmp_path_factory.mktemp("made"),
        lock=ROOT / "tests" / "made" / "models.lock.json",
        ports=dict(zip(old, free_ports(len(old)), strict=True)),
    )


@pytest.fixture(scope="module")
def up(made: Lab, real_ollama_program: Path, made_models: Path) -> Iterator[Up]:
    """Everything is up, and the RAG API is ready."""
    del real_ollama_program  # in the stand-in already, where there is one
    with started(made, made_models) as running:
        running.wait_for("process-compose: rag-api: ready", timeout_s=240)
        yield running


def test_devenv_up_starts_everything_in_order(up: Up) -> None:
    """The models come before Ollama, and the RAG API after the adoption and the migration."""
    said = "".join(up.said)

    marks = [
        "getting 2 models",
        "ollama-models: ended with 0",
        "ollama: ready",
        "the schema of default is at",
    ]
    places = [said.index(mark) for mark in [*marks, "rag-api: ready"]]
    assert places == sorted(places)
    assert said.count("Adopted.") == 3


def test_the_models_come_from_the_store(up: Up) -> None:
    """Ollama serves a folder that Nix has made of blobs that were here."""
    folder = up.lab.project / ".devenv" / "state" / "ollama" / "models"

    assert folder.resolve().parent == up.lab.nix.folder / "store"
    assert (folder / "manifests" / "registry.ollama.ai" / "library" / "made-minilm" / "latest").is_file()


@pytest.mark.parametrize("place", ["shell", "elsewhere"])
def test_status_says_who_started_the_services(up: Up, place: str) -> None:
    """In the shell by its environment, in any other terminal by what was announced: attached, started by devenv."""
    run = {"shell": lambda *words: up.shell("ragbed", *words), "elsewhere": up.elsewhere}[place]
    done = run("status", "--json")

    services = json.loads(done.stdout[done.stdout.index("{") :])["services"]
    found = {one["name"]: (one["launcher"], one["started_by"]) for one in services}
    assert {name: found[name] for name in BACKING[:3]} == dict.fromkeys(BACKING[:3], ("attach", "devenv"))


def test_smoke_attaches_to_what_devenv_has_started(up: Up, tmp_path: Path) -> None:
    """A few documents go through the whole way to the index, on the services of `devenv up`."""
    for name in ["alembic-multiple-heads.md"]:
        (tmp_path / name).write_text((ROOT / "docs" / "lessons" / name).read_text())

    done = up.shell("ragbed", "smoke", "--corpus", str(tmp_path), "--stage", "index")

    assert done.returncode == 0, done.stderr
    assert re.search(r"^index +ok .* 1 documents", done.stderr, re.MULTILINE)


def test_the_models_are_verified_against_the_lock(up: Up) -> None:
    """The task compares what Ollama has, digest by digest."""
    done = up.shell("devenv", "tasks", "run", "ragbed:models-verify")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "made-minilm:latest" in done.stdout


def test_a_store_of_somebody_else_is_not_adopted(
    lab: Lab, real_ollama_program: Path, made_models: Path, tmp_path: Path
) -> None:
    """Where another Redis has the port, the set-up says whose files it has, and nothing is marked."""
    del real_ollama_program
    pins = load_stack_pins(ROOT / "stack.toml")
    old = [*(pins[name].port for name in BACKING), pins.app.port]
    ports = dict(zip(old, free_ports(len(old)), strict=True))
    variant = lab.variant(tmp_path, lock=ROOT / "tests" / "made" / "models.lock.json", ports=ports)
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    server = json.loads((lab.nixpkgs / "host.json").read_text())["programs"]["redis-server"]
    foreign = subprocess.Popen(
        [
            server,
            "--port",
            str(ports[pins["redis"].port]),
            "--bind",
            "127.0.0.1",
            "--dir",
            theirs,
            "--save",
            "",
        ],
        stdout=subprocess.DEVNULL,
    )
    try:
        with started(variant, made_models) as running:
            running.wait_for("devenv:processes:redis ended with", "postgres: ready", timeout_s=240)
            said = running.shell("devenv", "tasks", "run", "ragbed:adopt")
    finally:
        foreign.terminate()
        foreign.wait(timeout=20)

    assert said.returncode != 0
    assert f"the redis that answers is not the one of this project: its files are in {theirs}" in (
        said.stdout + said.stderr
    )
