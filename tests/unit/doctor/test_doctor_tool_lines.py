"""The tools' lines: only Python is needed; whatever hangs, fails or is another than pinned is named."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ragbed.doctor.probing import ProgramOutput
from ragbed.doctor.tools import (
    DeveloperTool,
    NixShell,
    Python,
    judge_devenv,
    judge_docker,
    judge_go,
    judge_nix,
    judge_python,
    pinned_devenv,
    see_nix_shell,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ragbed.doctor import Finding

OUTSIDE = NixShell(inside=False, ours=False)
OTHER = NixShell(inside=True, ours=False)
OURS = NixShell(inside=True, ours=True)
PYTHON = Python(version=(3, 12, 4), program="/home/me/.venv/bin/python", base="/usr", virtual=True)
NIX = DeveloperTool(
    asked=ProgramOutput(path="/usr/bin/nix", code=0, out="nix (Nix) 2.34.8\n"),
    more=ProgramOutput(path="/usr/bin/nix", code=0, out="true\n"),
)
DEVENV = DeveloperTool(
    asked=ProgramOutput(path="/usr/bin/devenv", code=0, out="devenv 2.2.2 (x86_64-linux)\n")
)
DOCKER = DeveloperTool(
    asked=ProgramOutput(path="/usr/bin/docker", code=0, out="Docker version 28.2.2, build e6534b4\n"),
    more=ProgramOutput(path="/usr/bin/docker", code=0, out="28.1.0\n"),
)
GO = DeveloperTool(asked=ProgramOutput(path="/usr/bin/go", code=0, out="go version go1.26.8 linux/amd64\n"))
JUDGES: dict[str, Callable[[DeveloperTool], Finding]] = {
    "nix": lambda tool: judge_nix(tool, OUTSIDE),
    "devenv": lambda tool: judge_devenv(tool, "2.2.2", OUTSIDE),
    "docker": judge_docker,
    "go": judge_go,
}


@pytest.mark.parametrize(
    ("finding", "seen"),
    [
        pytest.param(
            judge_python(PYTHON, "3.13.13", OUTSIDE),
            "3.12.4, virtual environment /home/me/.venv",
            id="python",
        ),
        pytest.param(judge_nix(NIX, OUTSIDE), "2.34.8, with flakes", id="nix"),
        pytest.param(judge_nix(NIX, OURS), "2.34.8, in this checkout's shell, with flakes", id="nix-shell"),
        pytest.param(judge_nix(NIX, OTHER), "2.34.8, in another Nix shell, with flakes", id="other-shell"),
        pytest.param(judge_devenv(DEVENV, "2.2.2", OURS), "2.2.2, as pinned in flake.lock", id="devenv"),
        pytest.param(judge_devenv(DEVENV, "", OUTSIDE), "2.2.2; no flake.lock pins one", id="unpinned"),
        pytest.param(judge_docker(DOCKER), "client 28.2.2, engine 28.1.0", id="docker"),
        pytest.param(judge_go(GO), "1.26.8, /usr/bin/go", id="go"),
    ],
)
def test_a_tool_that_works_is_said_with_its_version(finding: Finding, seen: str) -> None:
    """Nothing to type."""
    assert (finding.state, finding.seen, finding.hint) == ("ok", seen, "")


@pytest.mark.parametrize("topic", JUDGES)
def test_a_tool_that_is_not_there_is_optional(topic: str) -> None:
    """Its absence is said, with what it would be good for, and does not fail."""
    finding = JUDGES[topic](DeveloperTool(asked=ProgramOutput()))

    assert (finding.topic, finding.state) == (topic, "note")
    assert finding.seen.startswith("not on PATH; optional: ")


@pytest.mark.parametrize("topic", JUDGES)
def test_a_tool_that_hangs_is_shown_as_such(topic: str) -> None:
    """The program is named."""
    finding = JUDGES[topic](DeveloperTool(asked=ProgramOutput(path=f"/opt/{topic}", hangs=True)))

    assert finding.state == "note"
    assert finding.seen.startswith(f"/opt/{topic} hangs")
    assert f"/opt/{topic}" in finding.hint


@pytest.mark.parametrize("topic", JUDGES)
def test_a_tool_that_fails_is_shown_with_its_last_word(topic: str) -> None:
    """What it said on stderr is the reason."""
    broken = ProgramOutput(path=f"/opt/{topic}", code=127, err="warming up\nlibssl.so.3: cannot open\n")

    finding = JUDGES[topic](DeveloperTool(asked=broken))

    assert finding.state == "note"
    assert "fails: libssl.so.3: cannot open" in finding.seen


def test_an_old_python_is_missing_what_is_needed() -> None:
    """Below 3.11 nothing runs."""
    finding = judge_python(replace(PYTHON, version=(3, 10, 9)), "3.13.13", OUTSIDE)

    assert finding.state == "missing"
    assert "older than 3.11" in finding.seen
    assert "install Python 3.11" in finding.hint


def test_another_python_in_the_checkouts_nix_shell_is_drift() -> None:
    """There it is the pinned one from the store; elsewhere any will do."""
    from_store = replace(PYTHON, base="/nix/store/abc-python3-3.12.4")

    assert judge_python(PYTHON, "3.12.4", OURS).state == "drift"
    assert judge_python(from_store, "3.13.13", OURS).state == "drift"
    assert judge_python(PYTHON, "3.13.13", OTHER).state == "ok"
    right = judge_python(from_store, "3.12.4", OURS)
    assert (right.state, right.seen.rpartition(", ")[2]) == ("ok", "as pinned for Nix")


@pytest.mark.parametrize("version", ["2.3.16", "2.8.0", "2.17.1"])
def test_an_old_nix_is_noted(version: str) -> None:
    """The pinned nixpkgs refuses to be evaluated by one below 2.18, with flakes on or off."""
    finding = judge_nix(replace(NIX, asked=replace(NIX.asked, out=f"nix (Nix) {version}\n")), OUTSIDE)

    assert finding.state == "note"
    assert "older than 2.18, which nixpkgs asks for" in finding.seen


@pytest.mark.parametrize(
    "more",
    [
        pytest.param(ProgramOutput(path="nix", code=1, err="experimental Nix feature"), id="no-nix-command"),
        pytest.param(ProgramOutput(path="nix", code=0, out="false\n"), id="no-flakes"),
    ],
)
def test_nix_without_flakes_says_how_to_switch_them_on(more: ProgramOutput) -> None:
    """`nix develop` would fail."""
    finding = judge_nix(replace(NIX, more=more), OUTSIDE)

    assert finding.state == "note"
    assert "experimental-features = nix-command flakes" in finding.hint


def test_nix_that_hangs_at_the_second_question_is_shown_as_such() -> None:
    """A daemon that does not answer must not look like missing flakes."""
    finding = judge_nix(replace(NIX, more=ProgramOutput(path="nix", hangs=True)), OUTSIDE)

    assert "hangs" in finding.seen


def test_another_devenv_is_drift_only_in_the_checkouts_shell() -> None:
    """On somebody's PATH it is their own affair."""
    assert judge_devenv(DEVENV, "2.3.0", OURS).state == "drift"
    assert judge_devenv(DEVENV, "2.3.0", OUTSIDE).state == "note"
    assert "flake.lock pins 2.3.0" in judge_devenv(DEVENV, "2.3.0", OURS).seen


def test_a_docker_client_without_engine_says_why() -> None:
    """The client alone starts no container."""
    said = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"

    finding = judge_docker(replace(DOCKER, more=ProgramOutput(path="docker", code=1, err=said)))

    assert (finding.state, finding.fails) == ("note", False)
    assert finding.seen.endswith(
        "no engine: Cannot connect to the Docker daemon at unix:///var/run/docker.sock"
    )


def test_a_docker_engine_that_hangs_is_shown_as_such() -> None:
    """The client answers, the engine does not."""
    finding = judge_docker(replace(DOCKER, more=ProgramOutput(path="docker", hangs=True)))

    assert "its engine hangs" in finding.seen
    assert finding.hint == "restart the Docker engine"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        pytest.param({}, OUTSIDE, id="no-shell"),
        pytest.param({"IN_NIX_SHELL": "impure"}, OTHER, id="some-shell"),
        pytest.param({"DEVENV_ROOT": "/elsewhere"}, OTHER, id="another-project's"),
        pytest.param({"IN_NIX_SHELL": "impure", "DEVENV_ROOT": "{}"}, OURS, id="ours"),
    ],
)
def test_the_nix_shell_is_told_by_its_variables(
    environ: dict[str, str], expected: NixShell, tmp_path: Path
) -> None:
    """Ours is the one whose root is the checkout."""
    filled = {name: value.format(tmp_path) for name, value in environ.items()}

    assert see_nix_shell(tmp_path, filled) == expected


def test_the_pinned_devenv_is_read_in_flake_lock(tmp_path: Path) -> None:
    """Its tag, without the v; nothing without such a file, or in one of another form."""
    assert pinned_devenv(tmp_path) == ""
    node = {"original": {"owner": "cachix", "repo": "devenv", "ref": "v2.2.2", "type": "github"}}
    (tmp_path / "flake.lock").write_text(json.dumps({"nodes": {"devenv": node}}))
    assert pinned_devenv(tmp_path) == "2.2.2"
    (tmp_path / "flake.lock").write_text('{"nodes": []}')
    assert pinned_devenv(tmp_path) == ""
