"""The command's standard streams: whatever is written to them has its control characters written out."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from ragbed.errors import UsageError
from ragbed.escaping import terminal_text

if TYPE_CHECKING:
    from collections.abc import Iterator


class HarmlessWriter(io.TextIOWrapper):
    """A stream of text for people, over the bytes of another one.

    Args:
        stream: The stream below; left open.
        name: What it is called in an error.
    """

    def __init__(self, stream: TextIO, name: str) -> None:
        super().__init__(
            stream.buffer,
            # click passes a stream of ASCII by, and would open one of its own on the bytes.
            encoding="utf-8" if stream.encoding.lower() in {"ascii", "ansi_x3.4-1968"} else stream.encoding,
            errors="backslashreplace",
            line_buffering=stream.isatty(),
            write_through=True,
        )
        self.plain = stream
        self._name = name

    def write(self, text: str) -> int:
        """Write a text, its control characters written out."""
        try:
            super().write(terminal_text(text))
        except OSError as error:
            raise self._named(error) from error
        return len(text)

    def flush(self) -> None:
        """Send on what was written; an error says which stream could not take it."""
        try:
            super().flush()
        except OSError as error:
            raise self._named(error) from error

    def _named(self, error: OSError) -> OSError:
        return OSError(error.errno, error.strerror, self._name)


def plain(stream: TextIO) -> TextIO:
    """Return the stream that takes escape sequences of our own: for tables and progress, of harmless cells."""
    return stream.plain if isinstance(stream, HarmlessWriter) else stream


@contextmanager
def harmless_streams() -> Iterator[None]:
    """Make stdout and stderr harmless inside; closed ones lead nowhere, so that no file gets their numbers."""
    streams = sys.stdout, sys.stderr
    names = ("standard output", "standard error")
    with contextlib.ExitStack() as nowhere:
        kept = [stream or nowhere.enter_context(open(os.devnull, "w")) for stream in streams]  # noqa: PTH123
        writers = [HarmlessWriter(stream, name) for stream, name in zip(kept, names, strict=True)]
        sys.stdout, sys.stderr = writers
        try:
            yield
        finally:
            sys.stdout, sys.stderr = streams
            for writer in writers:
                _detach(writer)


def require_output() -> None:
    """Refuse to run where the result cannot be written.

    Raises:
        UsageError: Standard output was closed before the command began.
    """
    if sys.__stdout__ is None:
        raise UsageError(
            "standard output is closed: there is nowhere to write the result",
            hint="leave it open; ragbed … > /dev/null throws the result away",
        )


def _detach(writer: HarmlessWriter) -> None:
    """Give the bytes back to the stream below; what could not be written is dropped, without a word at the exit."""
    try:
        writer.detach()
    except OSError:
        with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - only its number counts
            os.dup2(nowhere.fileno(), writer.fileno())
