"""Documents parsed in a child process: one that crashes, stalls or fills its parser costs itself alone.

The child has limits of its own for processor time and memory, set by the kernel, which hold within C code too. It is
started with the first document, and again after one that ended it. It ends with its parent's end of the pipe.
"""

from __future__ import annotations

import json
import signal
import struct
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict
from datetime import date
from typing import IO, TYPE_CHECKING, Any, Self

from ragbed.errors import DocumentError
from ragbed.pipeline.parsing import EmptyDocument, SourceFile, parse
from ragbed.pipeline.records import Chunk, Document

if TYPE_CHECKING:
    from types import TracebackType

MOST_SECONDS = 30.0
"""Processor time that one document may take; an ordinary megabyte takes two seconds."""

MOST_BYTES = 2 * 1024**3
"""Memory that the child may take."""

_HEADER = struct.Struct(">II")
_LENGTH = struct.Struct(">I")


class ParserProcess:
    """Parses and chunks documents in a child process; use it in a `with` statement.

    Args:
        most_seconds: Processor time that one document may take; None for `MOST_SECONDS`.
    """

    def __init__(self, *, most_seconds: float | None = None) -> None:
        self._most_seconds = MOST_SECONDS if most_seconds is None else most_seconds
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def parse(self, source: SourceFile) -> Document:
        """Return the document that stands in a file.

        Raises:
            EmptyDocument: There is no text.
            DocumentError: The file is not a document, or takes too much time or memory to be read.
        """
        return _document(self._ask(source, {})["document"])

    def chunks(self, source: SourceFile, *, budget: int, overlap: int) -> tuple[Document, list[Chunk]]:
        """Return the document that stands in a file, and its chunks.

        Args:
            source: The file.
            budget: Estimated tokens that a chunk may have.
            overlap: Tokens repeated from the end of the chunk before.

        Raises:
            EmptyDocument, DocumentError: As for `parse`.
        """
        reply = self._ask(source, {"budget": budget, "overlap": overlap})
        chunks = [Chunk(**{**one, "heading": tuple(one["heading"])}) for one in reply["chunks"]]
        return _document(reply["document"]), chunks

    def close(self) -> None:
        """End the child; doing it twice is harmless."""
        if self._process is None:
            return
        process, self._process = self._process, None
        with process:
            process.kill()

    def _ask(self, source: SourceFile, cut: dict[str, int]) -> dict[str, Any]:
        requests, replies = self._pipes()
        request = json.dumps({"path": source.path, "seconds": self._most_seconds, "cut": cut}).encode()
        try:
            requests.write(_HEADER.pack(len(request), len(source.content)) + request + source.content)
            requests.flush()
            (length,) = _LENGTH.unpack(_exactly(replies, _LENGTH.size))
            reply: dict[str, Any] = json.loads(_exactly(replies, length))
        except (BrokenPipeError, EOFError) as error:
            raise DocumentError(self._ending()) from error
        if "problem" in reply:
            raise (EmptyDocument if reply["empty"] else DocumentError)(reply["problem"])
        return reply

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._process is None:
            # -P: a module that lies in the folder where the command runs is not ours to import.
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "ragbed.pipeline.parser_process"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        requests, replies = self._process.stdin, self._process.stdout
        if requests is None or replies is None:
            raise DocumentError("the parser has no pipes")
        return requests, replies

    def _ending(self) -> str:
        """Return in words how the child ended, and forget it."""
        process, self._process = self._process, None
        if process is None:
            return "the parser was closed"
        for pipe in (process.stdin, process.stdout):
            if pipe:
                with suppress(BrokenPipeError):  # a request that did not leave is flushed once more
                    pipe.close()
        code = process.wait()
        if code == -signal.SIGPROF:
            return f"takes more than {self._most_seconds:g} s to read"
        return f"ends its parser ({signal.Signals(-code).name if code < 0 else f'exit code {code}'})"


def _exactly(pipe: IO[bytes], size: int) -> bytes:
    content = pipe.read(size)
    if len(content) < size:
        raise EOFError
    return content


def _document(value: dict[str, Any]) -> Document:
    updated = date.fromisoformat(value["updated"]) if value["updated"] else None
    return Document(**{**value, "tags": tuple(value["tags"]), "updated": updated})


def main() -> None:
    """Answer requests on stdin until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    _limit_memory()
    requests, replies = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # what a library prints is not a reply
    while header := requests.read(_HEADER.size):
        size, content_size = _HEADER.unpack(header)
        request = json.loads(_exactly(requests, size))
        source = SourceFile(path=request["path"], content=_exactly(requests, content_size))
        signal.setitimer(signal.ITIMER_PROF, request["seconds"])  # SIGPROF ends the process
        reply = json.dumps(_reply(source, request["cut"]), default=str).encode()
        signal.setitimer(signal.ITIMER_PROF, 0)
        replies.write(_LENGTH.pack(len(reply)) + reply)
        replies.flush()


def _limit_memory() -> None:
    import resource  # noqa: PLC0415 - the parent needs none of it

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = MOST_BYTES if hard == resource.RLIM_INFINITY else min(MOST_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _reply(source: SourceFile, cut: dict[str, int]) -> dict[str, Any]:
    from ragbed.pipeline.chunking import chunk_document  # noqa: PLC0415 - the parent needs none of it

    try:
        document = parse(source)
        chunks = chunk_document(document, **cut) if cut else []
    except MemoryError:
        return {"problem": f"takes more than {MOST_BYTES // 1024**3} GB of memory to read", "empty": False}
    except RecursionError:
        return {"problem": "is nested too deeply", "empty": False}
    except DocumentError as error:
        return {"problem": error.message, "empty": isinstance(error, EmptyDocument)}
    return {"document": asdict(document), "chunks": [asdict(chunk) for chunk in chunks]}


if __name__ == "__main__":
    main()
