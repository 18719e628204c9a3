"""Modules of devenv evaluated under the small module system, and what tests read of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nix_command import ROOT

from ragbed.pins import load_stack_pins

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nix_command import Nix

MINI = "./tests/nix/mini"
PINS = load_stack_pins(ROOT / "stack.toml")
BACKING = ["postgres", "redis", "qdrant", "ollama"]
ADDRESSES = {
    "DATABASE_URL": f"postgresql://ragbed:ragbed@127.0.0.1:{PINS['postgres'].port}/ragbed",
    "REDIS_URL": f"redis://127.0.0.1:{PINS['redis'].port}/0",
    "QDRANT_URL": f"http://127.0.0.1:{PINS['qdrant'].port}",
    "OLLAMA_HOST": f"http://127.0.0.1:{PINS['ollama'].port}",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One evaluated configuration.

    Attributes:
        value: What `shown.nix` gives.
    """

    value: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        """Return a part of it."""
        return self.value[name]

    def script(self, command: str) -> Path:
        """Return the file that a command runs: the first path in the store."""
        found = re.search(r"/\S+/store/[^\s/]+", command)
        assert found is not None, command
        return Path(found[0])

    def probe(self, service: str) -> str:
        """Return the text of a service's readiness probe."""
        return self.script(self["processes"][service]["ready"]["exec"]).read_text()


def evaluate(nix: Nix, modules: str, *, more: str = "", **environ: str) -> Shown:
    """Evaluate modules.

    Args:
        nix: Nix.
        modules: A Nix list of them; paths begin at the checkout.
        more: Further arguments of the small module system, in Nix.
        environ: Variables that evaluation may read.
    """
    return Shown(nix.eval(f"(import {MINI} {{ modules = {modules}; {more} }}).shown", **environ))


def complaints(nix: Nix, module: str, *, more: str = "") -> list[str]:
    """Return the messages of the assertions that fail for a module beside ours."""
    modules = f"[ ./nix/modules/ragbed.nix {{ services.ragbed.enable = true; }} {module} ]"
    found: list[str] = nix.eval(f"(import {MINI} {{ modules = {modules}; {more} }}).shown.failed")
    return found
