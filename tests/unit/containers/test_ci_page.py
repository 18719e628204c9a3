"""The recipes of docs/ci.md: their digests are the pins', and actionlint has nothing to say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from ragbed.containers.workshop import CHECKOUT
from ragbed.pins import load_stack_pins
from ragbed.pins.in_force import our_pin_file

if TYPE_CHECKING:
    from pathlib import Path

PAGE = (CHECKOUT / "docs" / "ci.md").read_text(encoding="utf-8")
WORKFLOWS = re.findall(r"```yaml\n(name: .+?)```", PAGE, re.DOTALL)


def test_recipes_name_the_pinned_digests() -> None:
    """A new pin needs a new recipe."""
    pinned = {
        f"{service.channels.image.reference}@{service.channels.image.digest}"
        for service in load_stack_pins(our_pin_file("stack.toml")).services.values()
    }
    named = set(re.findall(r"[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}", PAGE))

    assert named
    assert named <= pinned


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=["service-containers", "testcontainers"])
def test_workflows_pass_actionlint(workflow: str, tmp_path: Path) -> None:
    """What the page shows can be pasted."""
    tools = os.environ.get("RAGBED_TOOLS_DIR") or str(CHECKOUT / ".ragbed" / "tools")
    actionlint = shutil.which("actionlint", path=f"{tools}{os.pathsep}{os.environ['PATH']}")
    if actionlint is None:
        pytest.skip("there is no actionlint: .ci/run installs it")
    (tmp_path / "workflow.yml").write_text(workflow)
    done = subprocess.run(
        [actionlint, "-no-color", tmp_path / "workflow.yml"], capture_output=True, text=True, check=False
    )

    assert not done.returncode, done.stdout
