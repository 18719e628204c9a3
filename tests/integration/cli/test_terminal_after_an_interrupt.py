"""What Ctrl-C leaves of a terminal."""

from __future__ import annotations

import os
import pty
import sys
from typing import TYPE_CHECKING

from ragbed.errors import ExitCode

if TYPE_CHECKING:
    from ragbed_command import RagbedCommand

HIDE, SHOW = b"\x1b[?25l", b"\x1b[?25h"


def test_an_interrupt_while_the_table_appears_gives_the_cursor_back(ragbed: RagbedCommand) -> None:
    """Ctrl-C as soon as the cursor is hidden: the table has not been drawn yet."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(ragbed.folder)
        command = [sys.executable, "-m", "ragbed", "up"]
        os.execve(sys.executable, command, ragbed.variables(TERM="xterm"))  # noqa: S606
    printed, typed = b"", False
    try:
        while data := os.read(terminal, 65536):
            printed += data
            if HIDE in printed and not typed:
                os.write(terminal, b"\x03")
                typed = True
    except OSError:  # Linux says so at the end
        pass
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(terminal)

    assert (code, typed) == (ExitCode.INTERRUPTED, True)
    assert printed.rfind(SHOW) > printed.rfind(HIDE)
