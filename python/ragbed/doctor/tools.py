"""The tools: Python, Nix, devenv, Docker, Go. Only Python is needed."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ragbed.doctor.finding import Finding
from ragbed.pins import satisfies

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ragbed.doctor.probing import ProgramOutput, Programs

NIX_STORE = "/nix/store/"
_OLDEST_PYTHON = (3, 11)
_OLDEST_NIX = "2.18"  # nixpkgs refuses to be evaluated by an older one


@dataclass(frozen=True, slots=True, kw_only=True)
class NixShell:
    """The Nix shell that we are in.

    Attributes:
        inside: Whether we are in one at all.
        ours: Whether it is that of this checkout, in which the pinned packages come first.
    """

    inside: bool
    ours: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Python:
    """The Python that runs us.

    Attributes:
        version: Major, minor and patch.
        program: Its path.
        base: The installation that it, or its virtual environment, belongs to.
        virtual: Whether it is that of a virtual environment.
    """

    version: tuple[int, int, int]
    program: str
    base: str
    virtual: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeveloperTool:
    """A program that may be there.

    Attributes:
        asked: What it said when it was asked for its version.
        more: What it said to the second question; None where it was not asked.
    """

    asked: ProgramOutput
    more: ProgramOutput | None = None

    @property
    def version(self) -> str:
        """Its version; empty where it told none."""
        return self.asked.version


def see_nix_shell(project: Path, environ: Mapping[str, str]) -> NixShell:
    """Return which Nix shell the variables tell of.

    Args:
        project: The checkout.
        environ: Environment variables.
    """
    root = environ.get("DEVENV_ROOT", "")
    return NixShell(
        inside=bool(environ.get("IN_NIX_SHELL") or root),
        ours=bool(root) and Path(root).resolve() == project.resolve(),
    )


def see_python() -> Python:
    """Return which Python runs this process."""
    return Python(
        version=sys.version_info[:3],
        program=sys.executable,
        base=os.path.realpath(sys.base_prefix),
        virtual=sys.prefix != sys.base_prefix,
    )


def judge_python(python: Python, pinned: str, shell: NixShell) -> Finding:
    """It must be new enough; in the Nix shell of the checkout it should be the pinned one, from the store.

    Args:
        python: Which one it is.
        pinned: The version that stack.toml pins for Nix; empty where that cannot be read.
        shell: The Nix shell that we are in.
    """
    version = ".".join(map(str, python.version))
    where = f"virtual environment {Path(python.program).parents[1]}" if python.virtual else python.program
    if python.version[:2] < _OLDEST_PYTHON:
        return Finding(
            topic="python",
            state="missing",
            seen=f"{version}, {where}: older than 3.11",
            hint="install Python 3.11 or newer, then: PYTHON=/path/to/it ./scripts/smoke",
        )
    if shell.ours and not f"{python.base}/".startswith(NIX_STORE):
        return Finding(
            topic="python",
            state="drift",
            seen=f"{version}, {where}: not the Nix shell's, but that of {python.base}",
            hint="leave the shell, remove .venv, and enter again: nix develop",
        )
    if shell.ours and version != pinned:
        return Finding(
            topic="python",
            state="drift",
            seen=f"{version}, {where}; pinned for Nix: {pinned or 'unknown'}",
            hint="leave the shell and enter it again: nix develop",
        )
    return Finding(topic="python", state="ok", seen=f"{version}, {where}{', as pinned for Nix' * shell.ours}")


def see_nix(programs: Programs) -> DeveloperTool:
    """Ask Nix for its version, and whether it knows flakes; no store is opened."""
    asked = programs.ask("nix", "--version")
    if asked.code != 0:
        return DeveloperTool(asked=asked)
    flakes = programs.ask(asked.path, "eval", "--store", "dummy://", "--expr", "builtins ? getFlake")
    return DeveloperTool(asked=asked, more=flakes)


def judge_nix(nix: DeveloperTool, shell: NixShell) -> Finding:
    """Optional. Where it is there, flakes must be switched on to be of use."""
    if answer := _unusable("nix", nix.asked, "`nix develop` needs it; everything works without"):
        return answer
    where = {True: ", in this checkout's shell", False: ", in another Nix shell" if shell.inside else ""}
    seen = f"{nix.version}{where[shell.ours]}"
    if not satisfies(nix.version, f">={_OLDEST_NIX}"):
        return Finding(
            topic="nix",
            state="note",
            seen=f"{seen}: older than {_OLDEST_NIX}, which nixpkgs asks for",
            hint="install a newer Nix, if you want `nix develop`: https://nixos.org/download",
        )
    if nix.more and nix.more.hangs:
        return Finding(topic="nix", state="note", seen=f"{seen}: hangs when it is asked to evaluate")
    if nix.more and nix.more.out.strip() != "true":
        return Finding(
            topic="nix",
            state="note",
            seen=f"{seen}: without nix-command and flakes, which `nix develop` needs",
            hint="export NIX_CONFIG='experimental-features = nix-command flakes', or put that line into nix.conf",
        )
    return Finding(topic="nix", state="ok", seen=f"{seen}, with flakes")


def see_devenv(programs: Programs) -> DeveloperTool:
    """Ask devenv for its version."""
    return DeveloperTool(asked=programs.ask("devenv", "version"))


def pinned_devenv(project: Path) -> str:
    """Return the version of devenv that the checkout's flake.lock names; empty where there is none."""
    try:
        nodes = json.loads((project / "flake.lock").read_text(encoding="utf-8"))["nodes"]
        return str(nodes["devenv"]["original"]["ref"]).removeprefix("v")
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def judge_devenv(devenv: DeveloperTool, pinned: str, shell: NixShell) -> Finding:
    """Optional. One of another version than the pinned is drift in the checkout's own shell, else worth saying.

    Args:
        devenv: What it said.
        pinned: The version that flake.lock names; empty where there is none.
        shell: The Nix shell that we are in.
    """
    if answer := _unusable("devenv", devenv.asked, "`nix develop` brings its own"):
        return answer
    if not pinned:
        seen = f"{devenv.version}; no flake.lock pins one"
        return Finding(topic="devenv", state="ok", seen=seen)
    if devenv.version == pinned:
        seen = f"{devenv.version}, as pinned in flake.lock"
        return Finding(topic="devenv", state="ok", seen=seen)
    return Finding(
        topic="devenv",
        state="drift" if shell.ours else "note",
        seen=f"{devenv.version or 'of no known version'}, and flake.lock pins {pinned}: {devenv.asked.path}",
        hint="nix develop, which brings the pinned one",
    )


def see_docker(programs: Programs) -> DeveloperTool:
    """Ask Docker's client for its version, then the engine behind it."""
    asked = programs.ask("docker", "--version")
    if asked.code != 0:
        return DeveloperTool(asked=asked)
    return DeveloperTool(
        asked=asked, more=programs.ask(asked.path, "version", "--format", "{{.Server.Version}}")
    )


def judge_docker(docker: DeveloperTool) -> Finding:
    """Optional: client and engine are told apart, as a client alone starts no container."""
    if answer := _unusable("docker", docker.asked, "only the launcher container needs it"):
        return answer
    seen, engine = f"client {docker.version}", docker.more
    if engine is None or engine.hangs:
        return Finding(
            topic="docker",
            state="note",
            seen=f"{seen}; its engine hangs: no answer to `docker version`",
            hint="restart the Docker engine",
        )
    if engine.code != 0:
        return Finding(
            topic="docker",
            state="note",
            seen=f"{seen}; no engine: {engine.last_line.partition('. ')[0].rstrip('.')}",
            hint="start the Docker engine, if you want containers",
        )
    seen = f"{seen}, engine {engine.out.strip()}"
    return Finding(topic="docker", state="ok", seen=seen)


def see_go(programs: Programs) -> DeveloperTool:
    """Ask Go for its version; it must neither fetch another toolchain nor write its telemetry for that."""
    quiet = {"GOTOOLCHAIN": "local", "XDG_CONFIG_HOME": os.devnull}
    return DeveloperTool(asked=programs.ask("go", "version", environ=quiet))


def judge_go(go: DeveloperTool) -> Finding:
    """Optional: it builds a real Ollama."""
    if answer := _unusable("go", go.asked, "it can build a real Ollama"):
        return answer
    return Finding(topic="go", state="ok", seen=f"{go.version}, {go.asked.path}")


def _unusable(topic: str, said: ProgramOutput, purpose: str) -> Finding | None:
    """Return what to say of a tool that is not there, hangs or fails; None where it answered."""
    if not said.path:
        return Finding(topic=topic, state="note", seen=f"not on PATH; optional: {purpose}")
    if said.hangs:
        seen = f"{said.path} hangs: it did not tell its version in time; optional: {purpose}"
        return Finding(
            topic=topic, state="note", seen=seen, hint=f"repair it, or take it off PATH: {said.path}"
        )
    if said.code != 0:
        seen = f"{said.path} fails: {said.last_line or 'without a word'}; optional: {purpose}"
        return Finding(
            topic=topic, state="note", seen=seen, hint=f"repair it, or take it off PATH: {said.path}"
        )
    return None
