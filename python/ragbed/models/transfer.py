"""One blob's way in: resumed where it broke off, hashed while it streams, renamed only when the hash fits.

One thread receives and writes while another hashes the same buffers, so a blob takes about as long as the slower
of the two, not their sum.
"""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass
from hashlib import sha256
from queue import SimpleQueue
from threading import Event, Thread
from typing import TYPE_CHECKING

from ragbed.errors import DriftError, RagbedError, ServiceMissing
from ragbed.models.blobs import BUFFER_BYTES, BlobFolder
from ragbed.models.sources import TransferInterrupted

if TYPE_CHECKING:
    from io import FileIO

    from ragbed.models.sources import BlobSource, Stream
    from ragbed.models.transfer_progress import TransferProgress
    from ragbed.pins import ModelPin, Part

_BUFFERS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How long a transfer goes on trying.

    Attributes:
        tries: Tries in a row that bring not one byte, or wrong ones, before it gives up.
        pause_s: Pause after the first of them; doubled after each further one.
    """

    tries: int = 5
    pause_s: float = 0.2


class Transfer:
    """Brings one blob into a folder.

    Args:
        pin: A model that has the blob.
        part: The blob.
        source: Where it comes from.
        into: Where it goes.
        sent: Counts the bytes.
        stop: Set by a caller that wants it to end early; what has come stays for the next time.
    """

    def __init__(
        self,
        pin: ModelPin,
        part: Part,
        *,
        source: BlobSource,
        into: BlobFolder,
        sent: TransferProgress,
        stop: Event,
    ) -> None:
        self._pin, self._part = pin, part
        self._source, self._into = source, into
        self._sent, self._stop = sent, stop
        self._wire: socket.socket | None = None

    def abort(self) -> None:
        """Wake the thread that runs it, once `stop` is set."""
        if self._wire:
            with contextlib.suppress(OSError):  # it has ended by itself
                self._wire.shutdown(socket.SHUT_RDWR)

    def _wired(self, wire: socket.socket) -> None:
        self._wire = wire
        if self._stop.is_set():  # `abort` may have come just before
            raise InterruptedError

    def run(self, retries: RetryPolicy) -> None:
        """Return when the blob is there.

        Raises:
            ServiceMissing: The source has none, or did not answer through all tries.
            DriftError: The source gave other bytes, again and again.
            InterruptedError: `stop` was set.
        """
        with self._into.unfinished(self._part.digest, self._stop) as file:
            if self._into.has(self._part):  # another process was faster
                self._sent.found(self._part.size_bytes)
                self._into.drop_unfinished(self._part.digest)
                return
            self._run(file, retries)

    def _run(self, file: FileIO, retries: RetryPolicy) -> None:
        failed: list[Exception] = []
        while True:
            before = _size(file)
            try:
                self._once(file)
                return
            except TransferInterrupted as error:
                if self._stop.is_set():
                    raise InterruptedError from error
                # A try that brought bytes is none that failed: a connection that breaks daily still ends.
                failed = [error] if _size(file) > before else [*failed, error]
            except _WrongBytes as error:
                failed = [*failed, error]
            if len(failed) >= retries.tries:
                raise self._given_up(failed) from failed[-1]
            if self._stop.wait(retries.pause_s * 2 ** (len(failed) - 1)):
                raise InterruptedError

    def _once(self, file: FileIO) -> None:
        """Try once: finish the blob, or leave what came and raise."""
        hasher = _Hasher()
        try:
            self._resume(file, hasher)
            if _size(file) < self._part.size_bytes:
                self._receive(file, hasher)
        finally:
            digest = hasher.result()
        if _size(file) < self._part.size_bytes:
            raise TransferInterrupted(f"it ended after {_size(file)} of {self._part.size_bytes} bytes")
        if digest != self._part.digest:
            self._sent.found(-min(_size(file), self._part.size_bytes))
            file.truncate(0)
            raise _WrongBytes(f"the bytes are those of {digest}")
        self._into.finish(self._part.digest)

    def _resume(self, file: FileIO, hasher: _Hasher) -> None:
        """Hash what an earlier try left."""
        file.seek(0)
        while count := file.readinto(hasher.buffer()):
            hasher.feed(count)
            self._check_stop()

    def _receive(self, file: FileIO, hasher: _Hasher) -> None:
        stream = self._source.open(self._pin, self._part, _size(file), wired=self._wired)
        try:
            self._require_size(stream)
            if stream.start == 0 and _size(file):  # it knows no ranges
                self._sent.found(-_size(file))
                file.truncate(0)
                hasher.restart()
            if stream.start != _size(file):
                raise TransferInterrupted(f"asked for byte {_size(file)}, it sends from byte {stream.start}")
            self._copy(stream, file, hasher)
        finally:
            stream.close()

    def _require_size(self, stream: Stream) -> None:
        if stream.size_bytes not in {None, self._part.size_bytes}:
            raise DriftError(
                f"{self._source.shown} says that the {self._part.kind} of {self._pin.full_name} has"
                f" {stream.size_bytes} bytes, and {self._part.size_bytes} are pinned",
                details=[f"blob: {self._part.digest}"],
                hint="take another --registry, or --from an Ollama's models folder",
            )

    def _copy(self, stream: Stream, file: FileIO, hasher: _Hasher) -> None:
        left = self._part.size_bytes - _size(file)
        while left:
            view = hasher.buffer()[:left]
            count = stream.readinto(view)
            if not count:
                return
            _write(file, view[:count])
            hasher.feed(count)
            self._sent.moved(count)
            left -= count
            self._check_stop()

    def _check_stop(self) -> None:
        if self._stop.is_set():
            raise InterruptedError

    def _given_up(self, failed: list[Exception]) -> RagbedError:
        details = [f"try {number}: {error}" for number, error in enumerate(failed, 1)]
        what = f"{self._part.kind} of {self._pin.full_name}, {self._part.digest}"
        if any(isinstance(error, _WrongBytes) for error in failed):
            return DriftError(
                f"{self._source.shown} gives other bytes for the {what}",
                details=details,
                hint="take another --registry; none of these bytes was kept",
            )
        return ServiceMissing(
            f"{self._source.shown} did not give the {what}",
            details=details,
            hint="run it again: it goes on where it stopped",
        )


class _WrongBytes(Exception):
    """All bytes came, and they are not the blob's."""


class _Hasher:
    """Hashes buffers on a thread of its own, in the order in which they are fed."""

    def __init__(self) -> None:
        self._digest = sha256()
        self._free: SimpleQueue[memoryview] = SimpleQueue()
        self._full: SimpleQueue[tuple[memoryview, int] | None] = SimpleQueue()
        for _ in range(_BUFFERS):
            self._free.put(memoryview(bytearray(BUFFER_BYTES)))
        self._current: memoryview | None = None
        self._thread = Thread(target=self._work, name="hashing", daemon=True)
        self._thread.start()

    def buffer(self) -> memoryview:
        """Return a buffer to fill; the same one until it is fed."""
        if self._current is None:
            self._current = self._free.get()
        return self._current

    def feed(self, count: int) -> None:
        """Hash the first bytes of the buffer last returned."""
        self._full.put((self.buffer(), count))
        self._current = None

    def restart(self) -> None:
        """Forget everything fed so far."""
        self._finish()
        self._digest = sha256()
        self._thread = Thread(target=self._work, name="hashing", daemon=True)
        self._thread.start()

    def result(self) -> str:
        """Return the digest of all bytes fed, and end the thread."""
        self._finish()
        return f"sha256:{self._digest.hexdigest()}"

    def _finish(self) -> None:
        self._full.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (fed := self._full.get()) is not None:
            view, count = fed
            self._digest.update(view[:count])
            self._free.put(view)


def _size(file: FileIO) -> int:
    return file.seek(0, 2)


def _write(file: FileIO, view: memoryview) -> None:
    while view:  # an unbuffered write may take only a part
        view = view[file.write(view) or 0 :]
