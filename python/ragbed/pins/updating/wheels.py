"""The hashes of the wheels that the flake's package is made of, one folder per system."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.requirements import Requirement

from ragbed.errors import ServiceMissing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ragbed.pins.updating.draft import Draft
    from ragbed.pins.updating.nix import Nix

WHEELS = "nix/python/wheels.json"
_MACHINES = {"aarch64-darwin": "arm64"}  # where Python and Nix have different names


def update_wheels(draft: Draft, nix: Nix) -> None:
    """Bring `nix/python/wheels.json` to what `requirements.lock` pins.

    Nothing is downloaded where it is already.

    Args:
        draft: Takes the changes.
        nix: Tells what is needed and by which arguments, and hashes it.

    Raises:
        ServiceMissing: pip cannot have a wheel.
    """
    version = draft.pins().python.nix.version
    short = version.rpartition(".")[0]
    needed = nix.eval("import ./nix/python/requirements.nix { }")
    arguments: dict[str, list[str]] = nix.eval(f'import ./nix/python/platforms.nix "{short}"')
    before = json.loads(draft.text(WHEELS))
    if (before["requirements"], before["python"]) == (needed["sha256"], short):
        return
    hashes = {
        system: _hash(nix, requirements_on(system, needed["text"], version), words)
        for system, words in sorted(arguments.items())
    }
    value = {"python": short, "requirements": needed["sha256"], "systems": hashes}
    draft.write(WHEELS, json.dumps(value, indent=2) + "\n", f"{WHEELS}: {len(needed['names'])} packages")


def requirements_on(system: str, text: str, version: str) -> str:
    """Return the requirements that hold on a system, without their conditions.

    pip judges a condition by the Python that it runs on, whatever platform it downloads for.

    Args:
        system: As Nix names it, for example `aarch64-darwin`.
        text: The requirements with their hashes.
        version: Of the Python there.
    """
    machine, _, kernel = system.partition("-")
    environment = {
        "implementation_name": "cpython",
        "os_name": "posix",
        "platform_machine": _MACHINES.get(system, machine),
        "platform_python_implementation": "CPython",
        "platform_system": {"linux": "Linux", "darwin": "Darwin"}[kernel],
        "python_full_version": version,
        "python_version": version.rpartition(".")[0],
        "sys_platform": kernel,
    }
    kept = []
    for block in _blocks(text):
        head, *hashes = block
        requirement = Requirement(head.rstrip("\\ "))
        if requirement.marker is None or requirement.marker.evaluate(environment):
            kept += [f"{requirement.name}{requirement.specifier} \\", *hashes]
    return "\n".join(kept) + "\n"


def _blocks(text: str) -> list[list[str]]:
    blocks: list[list[str]] = []
    for line in filter(None, text.splitlines()):
        if line.startswith(" "):
            blocks[-1].append(line)
        else:
            blocks.append([line])
    return blocks


def _hash(nix: Nix, requirements: str, arguments: Sequence[str]) -> str:
    """Download the wheels of one system and return the hash of their folder."""
    with tempfile.TemporaryDirectory() as temporary:
        wanted, folder = Path(temporary, "requirements.txt"), Path(temporary, "wheels")
        wanted.write_text(requirements, encoding="utf-8")
        _download(wanted, folder, arguments)
        return nix.hash_path(folder)


def _download(wanted: Path, folder: Path, arguments: Sequence[str]) -> None:
    pip: list[Any] = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    checks = ["--require-hashes", "--only-binary", ":all:", "--no-deps"]
    done = subprocess.run(
        [*pip, *checks, *arguments, "--requirement", wanted, "--dest", folder],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise ServiceMissing(
            f"pip cannot have a wheel: {said[-1] if said else 'it says nothing'}", details=said[-6:-1]
        )
