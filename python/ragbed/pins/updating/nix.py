"""The machine's own Nix, asked for what only it knows."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

from ragbed.errors import ServiceMissing

if TYPE_CHECKING:
    from pathlib import Path


class Nix:
    """Runs `nix` in a checkout.

    Args:
        root: The checkout; relative paths in expressions lead from there.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def metadata(self, flake: str) -> dict[str, Any]:
        """Return what `nix flake metadata` tells of a flake reference: `locked`, and `path` in the store."""
        value: dict[str, Any] = json.loads(self._run("flake", "metadata", "--json", "--refresh", flake))
        return value

    def eval(self, expression: str) -> Any:
        """Return the value of an expression."""
        return json.loads(self._run("eval", "--json", "--impure", "--expr", expression))

    def hash_path(self, path: Path) -> str:
        """Return the hash of a file tree, as fixed-output derivations want it."""
        return self._run("hash", "path", str(path)).strip()

    def _run(self, *words: str) -> str:
        """Run one command and return what it prints.

        Raises:
            ServiceMissing: There is no Nix, or it refuses; its last words are in the details.
        """
        command = ["nix", "--extra-experimental-features", "nix-command flakes", *words]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, cwd=self.root, stdin=subprocess.DEVNULL
            )
        except FileNotFoundError as error:
            raise ServiceMissing(
                "there is no nix on PATH",
                hint="install it (Debian: nix-bin), or update the images alone: scripts/update-pins images",
            ) from error
        if done.returncode:
            said = done.stderr.strip().splitlines() or ["it says nothing"]
            errors = [line.strip() for line in said if line.strip().startswith("error:")]
            raise ServiceMissing(
                f"nix {' '.join(words[:2])} failed: {(errors or said)[-1].removeprefix('error: ')}",
                details=said[-8:],
                hint="nothing was written; the others can go on without it: scripts/update-pins images wheels",
            )
        return done.stdout
