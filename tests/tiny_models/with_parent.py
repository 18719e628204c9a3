"""`python with_parent.py PARENT PROGRAM…` becomes a program that is ended when its parent dies; only Linux can.

A server in a session of its own would outlive tests that are killed, and with it the models that it holds in memory.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Ask the kernel for SIGTERM at the parent's death, upon which Ollama ends its runners, and become the program.

    Source: prctl(2); what it was asked for survives the exec.
    """
    parent, *command = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != int(parent):  # it died before we asked
            sys.exit(1)
    os.execv(command[0], command)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
