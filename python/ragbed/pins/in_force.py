"""Which pin files count: the project's own, laid over ours where they give only a part, else ours."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragbed.errors import ConfigurationError
from ragbed.pins.nix_store import in_nix_store
from ragbed.project import project_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

_HERE = Path(__file__).resolve().parents[1]


def pin_file(name: str) -> Path:
    """Return a pin file in force: the project's, else ours.

    Args:
        name: `stack.toml` or `models.lock.json`.
    """
    return project_pin_file(name) or our_pin_file(name)


def project_pin_file(name: str) -> Path | None:
    """Return the project's own pin file; None where it has none, or where the project is ragbed itself."""
    path = project_folder() / name
    return path if path.is_file() and path != our_pin_file(name) else None


def our_pin_file(name: str) -> Path:
    """Return the pin file that ragbed brings: of its source tree, else of the package."""
    candidates = [root / name for root in (_HERE.parents[1], _HERE)]
    return next((path for path in candidates if path.is_file()), candidates[-1])


def laid_over(ours: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return our values with a project's in their place, key by key, at every depth."""
    return {
        **ours,
        **{
            key: laid_over(ours[key], value)
            if isinstance(value, dict) and isinstance(ours.get(key), dict)
            else value
            for key, value in own.items()
        },
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
