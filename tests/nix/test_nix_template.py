"""A project of somebody else, made from the template: its own pins and models, its shell, its services.

The last tests need `RAGBED_MIRROR`; `scripts/check-nix` is the command.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from devenv_lab import ACCEPTED
from devenv_up import other_ports, started
from evaluated import evaluate
from nix_command import ROOT

from ragbed.pins import load_stack_pins
from sample_models import sample_model, write_lock_of

if TYPE_CHECKING:
    from devenv_lab import Lab
    from nix_command import Nix

TEMPLATE = ROOT / "nix" / "template"
PINS = load_stack_pins(ROOT / "stack.toml")


def own_lock(path: Path) -> Path:
    """Write the part of a lock that a project brings: a chat and an embedding model, and a set of them."""
    chat, embedding = sample_model("talker"), sample_model("embedder")
    write_lock_of(path, chat, embedding)
    value = json.loads(path.read_text())
    value["sets"] = {"ours": sorted(value["models"])}
    value["models"]["embedder:latest"]["purpose"] = "embedding"
    value["models"]["talker:latest"]["purpose"] = "chat"
    value["default"] = "ours"
    path.write_text(json.dumps(value))
    return path


def refused(nix: Nix, tmp_path: Path, stack: str) -> str:
    """Return what Nix says of a project's `stack.toml`."""
    (tmp_path / "stack.toml").write_text(stack)
    return nix.refusal(f"(import ./nix/lib {{ stackFile = {tmp_path}/stack.toml; }}).services")


def test_the_template_evaluates_as_it_is(nix: Nix) -> None:
    """All services, ragbed's pins, the project's own files named to ragbed's commands."""
    shown = evaluate(nix, "[ ./nix/modules/ragbed.nix ./nix/template/devenv.nix ]")

    assert (shown["failed"], shown["warnings"]) == ([], [])
    assert shown["services"]["versions"]["qdrant"] == PINS["qdrant"].channels.nix.version
    assert shown["env"]["RAGBED_STACK_FILE"] == str(TEMPLATE / "stack.toml")


def test_a_projects_pins_and_models_come_before_ours(nix: Nix, tmp_path: Path) -> None:
    """A part of each file is enough; what it does not name stays ours."""
    (tmp_path / "stack.toml").write_text("[services.redis]\nport = 7000\n[app]\nport = 7001\n")
    own_lock(tmp_path / "models.lock.json")
    options = f"""{{ services.ragbed = {{
        enable = true; stackFile = {tmp_path}/stack.toml; lockFile = {tmp_path}/models.lock.json; }}; }}"""

    shown = evaluate(nix, f"[ ./nix/modules/ragbed.nix {options} ]")

    assert shown["failed"] == []
    assert shown["env"]["REDIS_URL"].endswith(":7000/0")
    assert shown["processes"]["rag-api"]["ports"] == {"http": 7001}
    assert shown["env"]["DATABASE_URL"].endswith(f":{PINS['postgres'].port}/ragbed")
    assert shown["services"]["ollama"]["models"] == ["embedder:latest", "talker:latest"]


def test_a_flake_tells_of_the_projects_file_and_not_of_the_copy(nix: Nix, tmp_path: Path) -> None:
    """What it sees lies in the store; `ragbed models lock` writes the project's."""
    path = nix.eval(
        f"""import ./nix/modules/in-project.nix {{
          lib = import ./tests/nix/mini/lib.nix;
          config.devenv.root = "/home/me/app";
          inputs.self = "{tmp_path}";
        }} {tmp_path}/models.lock.json"""
    )

    assert path == "/home/me/app/models.lock.json"


def test_accepted_versions_are_told_to_ragbeds_commands(nix: Nix, tmp_path: Path) -> None:
    """A project whose nixpkgs has an older Qdrant says so, and both sides judge by it."""
    (tmp_path / "stack.toml").write_text("[services.qdrant]\nready_timeout_s = 90.0\n")
    options = f"""{{ services.ragbed = {{
        enable = true; stackFile = {tmp_path}/stack.toml; accept.qdrant.qdrant = ">=1.9,<1.21"; }}; }}"""

    shown = evaluate(nix, f"[ ./nix/modules/ragbed.nix {options} ]", more='versions.qdrant = "1.9.0";')

    assert shown["failed"] == []
    assert shown["processes"]["qdrant"]["ready"]["failure_threshold"] == 90
    told = tomllib.loads(Path(shown["env"]["RAGBED_STACK_FILE"]).read_text())
    assert told == {"services": {"qdrant": {"ready_timeout_s": 90.0, "accept": {"qdrant": ">=1.9,<1.21"}}}}


WRONG = {
    "an unknown key": ("[services.redis]\nports = 1\n", "services.redis.ports: found an unknown key"),
    "an unknown service": ("[services.mongo]\nport = 1\n", "services.mongo: found an unknown key"),
    "an unknown table": ("[service.redis]\nport = 1\n", "service: found an unknown key"),
    "a wrong type": (
        '[services.redis]\nport = "7000"\n',
        "services.redis.port: found a string, expected a number",
    ),
    "half a channel": (
        '[services.redis.channels]\nimage = { version = "8" }\n',
        "services.redis.channels.image.reference: found nothing",
    ),
    "an unknown channel": (
        '[services.redis.channels]\nsnap = { version = "8" }\n',
        "services.redis.channels.snap: found an unknown key",
    ),
    "no range": ('[services.redis.accept]\nredis = "new"\n', 'services.redis.accept.redis: found "new"'),
    "another schema": ("schema = 2\n", "schema is 2, and this ragbed reads schema 1"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_broken_stack_file_is_refused_by_its_name_and_key(nix: Nix, tmp_path: Path, case: str) -> None:
    """Whatever is asked of the pins, the whole file is looked at."""
    text, said = WRONG[case]

    message = refused(nix, tmp_path, text)

    assert "stack.toml" in message
    assert said in message


def test_a_broken_lock_is_refused_by_its_name_and_key(nix: Nix, tmp_path: Path) -> None:
    """A model that lacks a key is not mixed with ours."""
    lock = tmp_path / "models.lock.json"
    lock.write_text(
        '{"models": {"all-minilm:latest": {"registry": "r", "name": "all-minilm", "tag": "latest"}}}'
    )

    said = nix.refusal(f'(import ./nix/lib {{ lockFile = {lock}; }}).models.get "all-minilm"')

    assert "models.lock.json is wrong: models.all-minilm:latest.purpose: found nothing" in said


def test_another_place_than_a_checkout_is_told_what_to_do(lab: Lab, tmp_path: Path) -> None:
    """`nix develop github:…` from any folder: the entry says it, before anything is evaluated there."""
    entered = lab.nix.run(
        "nix",
        "develop",
        f"path:{lab.project}",
        "-c",
        "true",
        cwd=tmp_path,
        **{**ACCEPTED, "PWD": str(tmp_path)},
    )

    assert entered.returncode != 0
    assert "this shell keeps its services' files in a checkout of ragbed" in entered.stderr
    assert "nix run FLAKE#smoke" in entered.stderr
    assert "nix flake init -t FLAKE" in entered.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def app(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> tuple[Lab, dict[int, int]]:
    """A project made by `nix flake init`, with pins, models and ports of its own, and no Ollama."""
    folder = tmp_path_factory.mktemp("app")
    project = folder / "project"
    project.mkdir()
    made = lab.nix.run("nix", "flake", "init", "-t", f"path:{lab.project}", cwd=project, **ACCEPTED)
    assert made.returncode == 0, made.stderr
    flake = project / "flake.nix"
    flake.write_text(flake.read_text().replace("github:your-organisation/ragbed", f"path:{lab.project}"))
    ports = other_ports()
    (project / "stack.toml").write_text(
        "".join(
            f"[services.{name}]\nport = {ports[PINS[name].port]}\n"
            for name in ("postgres", "redis", "qdrant")
        )
    )
    module = project / "devenv.nix"
    module.write_text(
        module.read_text()
        .replace("    corpus =", "    api.enable = false;\n    corpus =", 1)
        .replace("  services.ragbed = {", "  services.ollama.enable = false;\n  services.ragbed = {", 1)
    )
    (folder / "run").mkdir()
    return replace(lab, project=project), ports


def test_its_shell_has_the_services_and_ragbed(app: tuple[Lab, dict[int, int]]) -> None:
    """Plain `nix develop`, from a folder below too; variables lead to its own files and ports."""
    project, ports = app
    (project.project / "below").mkdir()
    says = 'type -p ragbed psql redis-server qdrant; ragbed --version; echo "$RAGBED_STACK_FILE"; echo "$REDIS_URL"'

    done = project.run(
        "nix", "develop", f"path:{project.project}", "-c", "bash", "-euc", says, below="below", **ACCEPTED
    )

    assert done.returncode == 0, done.stderr
    *programs, version, stack, redis = done.stdout.splitlines()
    assert len(programs) == 4
    assert re.match(r"ragbed, version \d", version)
    assert stack == str(project.project / "stack.toml")
    assert redis == f"redis://127.0.0.1:{ports[PINS['redis'].port]}/0"


def test_its_services_come_up_and_are_its_own(app: tuple[Lab, dict[int, int]]) -> None:
    """The stores are ready and adopted by the ragbed of its shell."""
    project, _ = app

    with started(project) as running:
        running.wait_until_ready("postgres", "redis", "qdrant", timeout_s=240)
        running.wait_until_ended("adoption", timeout_s=120)
