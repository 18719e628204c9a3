"""Ollama's official client, imported where the environment may say anything about proxies and certificates.

The package makes a client of its own while it is imported: a SOCKS proxy, a broken proxy address or a missing
certificate file in the environment ends the import with a traceback, though ragbed's client uses none of them.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

_READ = {"all_proxy", "http_proxy", "https_proxy", "no_proxy", "ssl_cert_file", "ssl_cert_dir", "ollama_host"}
_importing = Lock()


def ollama_library() -> ModuleType:
    """Return the `ollama` package; the first call takes 0.3 s, and other threads wait for it.

    `sys.modules` does not tell whether the package is ready: Python enters it there before its code has run.
    """
    with _importing:
        return _imported()


@cache
def _imported() -> ModuleType:
    with _hidden():
        import ollama  # noqa: PLC0415 - see above

    return ollama


@contextmanager
def _hidden() -> Iterator[None]:
    """Take the variables away that httpx and the package read; in both cases of letters."""
    hidden = {name: os.environ.pop(name) for name in list(os.environ) if name.lower() in _READ}
    try:
        yield
    finally:
        os.environ.update(hidden)
