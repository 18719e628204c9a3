"""A daemon that dies half-way: a socket before the real one, which goes away when a word passes."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class DaemonProxy:
    """Passes bytes to a daemon's socket until a request has a word in it; then every connection breaks.

    Args:
        path: Where it listens.
        daemon: The real socket.
        word: Part of the request at which it dies; empty for never.
    """

    def __init__(self, path: Path, daemon: str, word: bytes = b"") -> None:
        self._path, self._daemon, self._word = path, daemon, word
        self._connections: list[socket.socket] = []
        self._dead = threading.Event()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def died(self) -> bool:
        """Whether the word has passed."""
        return self._dead.is_set()

    def close(self) -> None:
        """Stop listening, and break every connection."""
        self._dead.set()
        self._path.unlink(missing_ok=True)
        for one in (self._listener, *self._connections):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._daemon)
                self._connections += [client, server]
                threading.Thread(target=self._pass, args=(client, server, True), daemon=True).start()
                threading.Thread(target=self._pass, args=(server, client, False), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, asks: bool) -> None:
        with suppress(OSError):
            while piece := source.recv(65536):
                if asks and self._word and self._word in piece:
                    self.close()
                    return
                target.sendall(piece)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)
