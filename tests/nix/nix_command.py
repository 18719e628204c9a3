"""The machine's own Nix on a store that lives as long as the tests: no network, no registry, no settings of a user."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
EXPRESSIONS = Path(__file__).with_name("expressions")
_SETTINGS = """\
experimental-features = nix-command flakes
build-users-group =
sandbox = false
substituters =
flake-registry =
connect-timeout = 2
warn-dirty = false
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nix:
    """Runs Nix.

    Attributes:
        folder: Holds its store, its state and an empty home.
    """

    folder: Path

    @classmethod
    def prepared(cls, folder: Path) -> Nix:
        """Return a Nix with an empty store below a folder."""
        (folder / "conf").mkdir(parents=True)
        (folder / "home").mkdir()
        (folder / "conf" / "nix.conf").write_text(_SETTINGS, encoding="utf-8")
        return cls(folder=folder)

    def variables(self, **more: str) -> dict[str, str]:
        """Return the environment of a run: the store's place, and nothing that a user has set for Nix.

        Nor what a Nix shell gives its Python for wheels: a Nix of another age would load these libraries too.
        """
        orphaned_blobs = ("NIX_", "LD_LIBRARY_PATH", "DYLD_")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(orphaned_blobs)}
        own = {
            "NIX_STORE_DIR": str(self.folder / "store"),
            "NIX_STATE_DIR": str(self.folder / "var"),
            "NIX_LOG_DIR": str(self.folder / "log"),
            "NIX_CONF_DIR": str(self.folder / "conf"),
            "NIX_USER_CONF_FILES": os.devnull,
            "HOME": str(self.folder / "home"),
            "XDG_CACHE_HOME": str(self.folder / "home" / ".cache"),
        }
        return {**inherited, **own, **more}

    def run(
        self, *words: str | Path, cwd: Path = ROOT, timeout_s: float = 300, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """Run one of Nix's programs to its end."""
        return subprocess.run(
            words,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=timeout_s,
            cwd=cwd,
            env=self.variables(**environ),
        )

    def eval(self, expression: str, **environ: str) -> Any:
        """Return the value of an expression; `./.` is the checkout."""
        done = self.run("nix", "eval", "--impure", "--json", "--expr", expression, **environ)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def refusal(self, expression: str, **environ: str) -> str:
        """Return what Nix says where an expression is refused."""
        done = self.run("nix", "eval", "--impure", "--json", "--expr", expression, **environ)
        assert done.returncode != 0, done.stdout
        return done.stderr

    def build(self, file: Path, **arguments: str) -> subprocess.CompletedProcess[str]:
        """Build what a file describes, given strings for its arguments; the store path is on stdout."""
        given = [word for name, value in arguments.items() for word in ("--argstr", name, value)]
        return self.run("nix-build", "--no-out-link", file, *given)


def missing_nix() -> str:
    """Return why Nix cannot be run here; empty where it can."""
    if shutil.which("nix") and shutil.which("nix-build"):
        return ""
    return "there is no nix on PATH; Debian has it as nix-bin, everyone else at nixos.org"
