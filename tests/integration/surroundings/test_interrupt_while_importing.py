"""Ctrl-C before the command's modules have been read."""

from __future__ import annotations

import subprocess
import sys

_INTERRUPTED = """
import sys
class Finder:
    def find_spec(self, name, *_):
        if name == "ragbed.cli":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Finder())
from ragbed.__main__ import run
run()
"""


def test_an_interrupt_while_importing_is_quiet() -> None:
    """One line and 130, no traceback; the console script begins there too."""
    done = subprocess.run([sys.executable, "-c", _INTERRUPTED], capture_output=True, text=True, check=False)

    assert (done.stderr, done.returncode) == ("ragbed: interrupted\n", 130)
