"""The Ollama that tests run on ends with them."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import psutil

from processes_left import left_of
from tiny_models.cached import ROOT

if TYPE_CHECKING:
    from pathlib import Path

_TESTS = """
import sys
from pathlib import Path
from ollama import Client
from tiny_models.serving import serving

program, models, home = map(Path, sys.argv[1:])
with serving(program, models, home) as url:
    Client(url).embed("made-minilm", "loaded")
    print("loaded", flush=True)
    sys.stdin.read()
"""


def test_server_and_runners_end_with_killed_tests(
    real_ollama_program: Path, tiny_models: Path, tmp_path: Path
) -> None:
    """Killed tests have no time to end what they have started; a time limit of CI does the same."""
    command = [sys.executable, "-c", _TESTS, real_ollama_program, tiny_models, tmp_path / "home"]
    with subprocess.Popen(
        command, cwd=ROOT / "tests", stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as tests:
        assert tests.stdout
        assert tests.stdout.readline() == b"loaded\n"
        running = psutil.Process(tests.pid).children(recursive=True)
        tests.kill()

    assert len(running) == 2
    assert left_of(running) == []
