"""`scripts/ollama`: what it builds is the pinned module, and where it cannot build it says why in a line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ragbed.pins import load_stack_pins
from ragbed.stack.binaries import ask_version
from tiny_models.cached import ROOT
from tiny_models.ollama_build import newest_built

if TYPE_CHECKING:
    from collections.abc import Callable

    Build = Callable[..., subprocess.CompletedProcess[str]]

PIN = (ROOT / "stack.toml").read_text(encoding="utf-8")
needs_go = pytest.mark.skipif(
    not all(shutil.which(program) for program in ("go", "gcc", "g++")),
    reason="there is no Go toolchain with gcc",
)


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Runs the builder with an empty cache; variables may be given."""

    def run(**environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "tiny_models"],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT / "tests",
            env={**os.environ, "RAGBED_TOOLS_DIR": str(tmp_path / "tools"), **environ},
            timeout=300,
        )

    return run


def only(folder: Path, *programs: str) -> str:
    """Return a PATH with nothing but these programs."""
    folder.mkdir()
    for program in programs:
        (folder / program).symlink_to(Path(shutil.which(program) or program).resolve())
    return str(folder)


def test_the_program_is_of_the_pinned_version() -> None:
    """The version is stamped into what was built: it says which one it is."""
    program = newest_built()
    if program is None:
        pytest.skip("no Ollama has been built: run scripts/ollama")
    pinned = load_stack_pins()["ollama"].channels.go

    assert pinned
    assert ask_version(program) == pinned.version


@needs_go
def test_a_module_of_another_sum_is_refused(build: Build, tmp_path: Path) -> None:
    """A module whose files are not the pinned ones is not compiled: exit code 11, both sums shown."""
    wrong = "h1:" + "A" * 43 + "="
    found = PIN.partition('sum = "')[2].partition('"')[0]
    (tmp_path / "stack.toml").write_text(PIN.replace(found, wrong, 1), encoding="utf-8")

    done = build(RAGBED_ROOT=str(tmp_path))

    if "did not fetch" in done.stderr:
        pytest.skip(f"the module is not here and cannot be fetched: {done.stderr.strip()}")
    assert done.returncode == 11
    assert "is not the pinned one" in done.stderr
    assert found in done.stderr
    assert wrong in done.stderr
    assert not list((tmp_path / "tools").rglob("ollama/*/ollama"))


def test_without_go_it_says_so_in_a_line(build: Build, tmp_path: Path) -> None:
    """Nothing to build with: exit code 10, the reason on one line, nothing on stdout."""
    done = build(PATH=only(tmp_path / "bin"))

    assert (done.returncode, done.stdout) == (10, "")
    assert done.stderr == "no real Ollama: there is no Go toolchain to build Ollama with\n"


@needs_go
def test_headers_that_are_missing_are_named_by_their_packages(build: Build, tmp_path: Path) -> None:
    """A compiler that finds no headers, and no way to install them: exit code 10, and what to install."""
    done = build(
        PATH=only(tmp_path / "bin", "go", "gcc", "g++"), CXX=f"g++ -nostdinc -nostdinc++ -I{tmp_path}"
    )

    assert (done.returncode, done.stdout) == (10, "")
    assert done.stderr == (
        "no real Ollama: there are no headers of nlohmann-json3-dev and libstb-dev to build Ollama with\n"
    )
