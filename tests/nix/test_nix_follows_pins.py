"""A copy of the project whose `stack.toml` has another version and other ports: its Nix side follows, unchanged."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from nix_command import ROOT

from ragbed.pins import load_stack_pins

if TYPE_CHECKING:
    from pathlib import Path

    from nix_command import Nix

_FILES = ("devenv.nix", "stack.toml", "models.lock.json", "requirements.lock", "pyproject.toml")
PORTS = {"qdrant": 16333, "redis": 16379, "app": 13000}


@pytest.fixture(scope="module")
def shell(nix: Nix, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The shell of a copy with Qdrant at another version, and three other ports."""
    copy = tmp_path_factory.mktemp("copy")
    for name in ("nix", "tests/nix/mini", *_FILES):
        source = ROOT / name
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, copy / name)
    _change(copy / "stack.toml")
    value: dict[str, Any] = nix.eval(
        f"""
        let shown = (import {copy}/tests/nix/mini {{ modules = [ {copy}/devenv.nix ]; }}).shown; in {{
          inherit (shown) processes services env enterShell failed;
        }}
        """
    )
    return value


def _change(path: Path) -> None:
    pins = load_stack_pins(path)
    text = path.read_text(encoding="utf-8")
    text = text.replace(
        f'attribute = "qdrant", version = "{pins["qdrant"].channels.nix.version}"',
        'attribute = "qdrant", version = "1.19.9"',
    )
    for table, port in PORTS.items():
        head = table if table == "app" else f"services.{table}"
        text, changed = re.subn(rf"(?m)(^\[{head}\]\n(?:#.*\n)*port = )\d+", rf"\g<1>{port}", text)
        assert changed == 1
    path.write_text(text, encoding="utf-8")


def test_the_version_follows(shell: dict[str, Any]) -> None:
    """It is the one that nixpkgs must have, and the shell's first line tells it."""
    assert shell["services"]["versions"]["qdrant"] == "1.19.9"
    assert "Qdrant 1.19.9" in shell["enterShell"]
    assert shell["failed"] == []


def test_the_ports_follow(shell: dict[str, Any]) -> None:
    """Processes listen on them, and the shell's variables lead to them."""
    ports = {name: list(one["ports"].values()) for name, one in shell["processes"].items()}

    assert PORTS["qdrant"] in ports["qdrant"]
    assert ports["redis"] == [PORTS["redis"]]
    assert ports["rag-api"] == [PORTS["app"]]
    assert shell["env"]["QDRANT_URL"].endswith(f":{PORTS['qdrant']}")
    assert f":{PORTS['redis']}/" in shell["env"]["REDIS_URL"]
