"""Where the models lie that a private Ollama is to serve: ragbed's own store, else this user's Ollama folder."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from ragbed.pins import manifest_path, parse_manifest, pinned_digests, with_tag

if TYPE_CHECKING:
    from collections.abc import Sequence


def models_folder() -> Path:
    """Return the folder where this user's Ollama keeps its models."""
    return Path(os.environ.get("OLLAMA_MODELS") or Path.home() / ".ollama" / "models").absolute()


def candidates(own: Path | None) -> list[Path]:
    """Return the folders that may hold the models, the preferred first.

    Args:
        own: Below it, `stores/` has the folders that `ragbed models store` laid out; None knows none.
    """
    stores = sorted(path for path in (own / "stores").glob("[!.]*") if path.is_dir()) if own else []
    return [*stores, models_folder()]


def complaint(models: Sequence[str], folder: Path) -> str:
    """Return what a folder lacks, in words; empty where it has every model, under its pinned digest if it has one."""
    try:
        paths = {model: manifest_path(folder, with_tag(model)) for model in models}
        missing = [model for model, path in paths.items() if not path.exists()]
        if missing:
            return f"has no {' and no '.join(missing)}"
        digests = {model: _digest(path) for model, path in paths.items()}
    except OSError as error:
        return f"cannot read the models ({error.strerror})"
    pinned = pinned_digests()
    moved = [model for model, digest in digests.items() if digest != pinned.get(with_tag(model), digest)]
    return f"has not the pinned {' and not the pinned '.join(moved)}" if moved else ""


def _digest(path: Path) -> str:
    return f"sha256:{sha256(path.read_bytes()).hexdigest()}"


def size_bytes(folder: Path, model: str) -> int:
    """Return what a model's parts come to by its manifest in a folder; 0 where that does not say."""
    try:
        return parse_manifest(manifest_path(folder, with_tag(model)).read_bytes()).size_bytes
    except (OSError, ValueError):
        return 0
