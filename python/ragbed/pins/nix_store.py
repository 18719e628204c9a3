"""The Nix store, into which neither ragbed nor pip can write."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def in_nix_store(path: str | Path, environ: Mapping[str, str] | None = None) -> bool:
    """Tell whether a path, or what it links to, lies in the Nix store.

    Args:
        path: Of a file or folder, which need not exist.
        environ: Where `NIX_STORE_DIR` may name a store that is not the usual one; None takes the process's.
    """
    environ = os.environ if environ is None else environ
    store = os.path.realpath(environ.get("NIX_STORE_DIR") or "/nix/store")
    return os.path.realpath(path).startswith(f"{store}{os.sep}")
