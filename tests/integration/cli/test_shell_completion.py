"""Completion as `docs/stack.md` sets it up, in the shells that are here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from ragbed_command import RagbedCommand

_BASH = """
eval "$(_RAGBED_COMPLETE=bash_source ragbed)"
COMP_WORDS=(ragbed sta) COMP_CWORD=1
_ragbed_completion ragbed
echo "${COMPREPLY[@]}"
"""
_ZSH = """
autoload -U compinit; compinit -u -D
eval "$(_RAGBED_COMPLETE=zsh_source ragbed)"
[ "${_comps[ragbed]}" = _ragbed_completion ] || exit 1
COMP_WORDS="ragbed sta" COMP_CWORD=1 _RAGBED_COMPLETE=zsh_complete ragbed | sed -n 2p
"""


@pytest.mark.parametrize(("shell", "script"), [("bash", _BASH), ("zsh", _ZSH)], ids=["bash", "zsh"])
def test_a_command_is_completed(shell: str, script: str, ragbed: RagbedCommand, tmp_path: Path) -> None:
    """`ragbed sta` becomes `ragbed staatus`."""
    if not shutil.which(shell):
        pytest.skip(f"there is no {shell} here")
    (tmp_path / "ragbed").write_text(f'#!/bin/sh\nexec {sys.executable} -m ragbed "$@"\n', encoding="utf-8")
    (tmp_path / "ragbed").chmod(0o755)

    done = subprocess.run(
        [shell, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        env=ragbed.variables(PATH=f"{tmp_path}:{os.environ['PATH']}"),
    )

    assert (done.stdout.strip(), done.returncode) == ("status", 0), done.stderr
