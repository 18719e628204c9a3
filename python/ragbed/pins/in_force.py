"""Which pin files count: the project's own, laid over ours where they give only a part, else ours."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragbed.errors import ConfigurationError
from ragbed.pins.nix_store import in_nix_store
from ragbed.project import project_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

_HERE = Path(__file__).resolve().parents[1]


_VARIABLES = {"stack.toml": "RAGBED_STACK_FILE", "models.lock.json": "RAGBED_MODELS_LOCK"}
_ENTRIES = {"services": ("*", "channels", "*"), "models": ("*",)}
"""What is taken whole, by the first key: the keys of a channel, and of a model, belong together."""


def pin_file(name: str) -> Path:
    """Return a pin file in force: the one that a variable names, else the project's, else ours.

    Args:
        name: `stack.toml` or `models.lock.json`.
    """
    return own_pin_file(name) or our_pin_file(name)


def own_pin_file(name: str) -> Path | None:
    """Return the pin file that a variable names, else the project's own; None where there is neither.

    The variables are `RAGBED_STACK_FILE` and `RAGBED_MODELS_LOCK`; Nix sets them where a project's files lie elsewhere.
    """
    if given := os.environ.get(_VARIABLES[name]):
        return Path(given).expanduser().absolute()
    path = project_folder() / name
    return path if path.is_file() and path != our_pin_file(name) else None


def our_pin_file(name: str) -> Path:
    """Return the pin file that ragbed brings: of its source tree, else of the package."""
    candidates = [root / name for root in (_HERE.parents[1], _HERE)]
    return next((path for path in candidates if path.is_file()), candidates[-1])


def laid_over(ours: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return our values with a project's in their place, key by key, at every depth.

    A channel of a service and a model are taken whole: a digest without its version, or of another manifest, would
    be a lie.
    """
    return {key: _laid(key, ours, own, _ENTRIES.get(key)) for key in {**ours, **own}}


def _laid(key: str, ours: Mapping[str, Any], own: Mapping[str, Any], entry: tuple[str, ...] | None) -> Any:
    """Return one value of two tables.

    Args:
        key: Which one.
        ours: Our table.
        own: The project's.
        entry: The way from here to what is taken whole; empty where that is here, None where it is not below.
    """
    if key not in own:
        return ours[key]
    mine, theirs = own[key], ours.get(key)
    if not (isinstance(mine, dict) and isinstance(theirs, dict)) or entry == ():
        return mine
    return {
        name: _laid(name, theirs, mine, entry[1:] if entry and entry[0] in ("*", name) else None)
        for name in {**theirs, **mine}
    }


def refuse_installed(path: Path) -> None:
    """Refuse to write where a package manager has put its files.

    Args:
        path: The file that is to be written.

    Raises:
        ConfigurationError: It lies below the Nix store, or among installed packages.
    """
    if in_nix_store(path) or {"site-packages", "dist-packages"} & set(path.resolve().parts):
        raise ConfigurationError(
            f"{path} is not written: it belongs to an installed package",
            hint=f"put a {path.name} into the project's folder, or name one by --file",
        )
