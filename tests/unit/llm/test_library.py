"""Ollama's official client, imported by several threads at once."""

from __future__ import annotations

import subprocess
import sys

SECOND_THREAD_ASKS_DURING_THE_IMPORT = """\
import sys
from threading import Thread
from ragbed.llm.library import ollama_library

first = Thread(target=ollama_library)
first.start()
while "ollama" not in sys.modules:
    pass
print(ollama_library().Client.__name__)
first.join()
"""


def test_a_thread_waits_for_the_import_of_another() -> None:
    """The first questions of a server arrive at once: each finds the whole package."""
    program = [sys.executable, "-c", SECOND_THREAD_ASKS_DURING_THE_IMPORT]
    done = subprocess.run(program, capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr) == ("Client\n", "")
