"""`ragbed init`: the first files of a project, which are right as they are and harm nothing that is there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from ragbed.errors import ConfigurationError
from ragbed.first_files import PINS, SETTINGS, write_first_files
from ragbed.pins import load_model_lock, load_stack_pins
from ragbed.pins.in_force import our_pin_file
from ragbed.settings import definitions, resolve_settings
from ragbed.stack.section import STACK_DEFAULT_PORTS

FILES = ("ragbed.toml", "stack.toml", "models.lock.json")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of a project that has nothing yet."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `ragbed init` in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "ragbed", "init", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def uncommented(text: str) -> dict[str, Any]:
    """Return what a first file says once its examples count."""
    return tomllib.loads(re.sub(r"(?m)^# (?=\[|[\w-]+ = )", "", text))


def test_the_first_files_are_said_and_change_nothing(project: Path) -> None:
    """They count, and what they leave out is ragbed's: the pins in force are the same as without them."""
    (project / ".git").mkdir()

    done = run(project)

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == f"in {project}"
    assert [line.split()[:2] for line in lines[1:4]] == [["wrote", name] for name in FILES]
    assert lines[4:6] == ["  added .ragbed/ and ragbed.local.toml to .gitignore", "next:"]
    page = (Path(__file__).parents[3] / "docs" / "your-project.md").read_text(encoding="utf-8")
    assert "\n".join(lines[1:]) in page
    assert load_stack_pins().path == project / "stack.toml"
    assert load_stack_pins().services == load_stack_pins(our_pin_file("stack.toml")).services
    assert load_model_lock().models == load_model_lock(our_pin_file("models.lock.json")).models
    resolve_settings(folder=project)


def test_a_second_time_nothing_is_written(project: Path) -> None:
    """What is there is never overwritten, not even by a link's way; what git ignores is not said twice."""
    (project / ".git").mkdir()
    (project / "ragbed.toml").write_text("[stack]\ndefault_ports = false\n", encoding="utf-8")
    (project / "stack.toml").symlink_to(project / "nowhere")

    first, second = (json.loads(run(project, "--json").stdout) for _ in range(2))

    assert (first["written"], first["kept"]) == (["models.lock.json"], ["ragbed.toml", "stack.toml"])
    assert (second["written"], second["kept"], second["ignored"]) == ([], list(FILES), [])
    assert (project / "ragbed.toml").read_text(encoding="utf-8").startswith("[stack]")
    assert not (project / "nowhere").exists()


def test_every_example_of_the_first_files_is_right(project: Path) -> None:
    """With its comment sign taken away, a line is a valid setting."""
    settings, pins = uncommented(SETTINGS), uncommented(PINS)
    (project / "ragbed.toml").write_text(re.sub(r"(?m)^# (?=\[|[\w-]+ = )", "", SETTINGS), encoding="utf-8")
    (project / "stack.toml").write_text(re.sub(r"(?m)^# (?=\[|[\w-]+ = )", "", PINS), encoding="utf-8")

    resolved = resolve_settings(folder=project, environ={})

    assert set(settings) == {"mock", "embedding", "llm", "stack"}
    assert resolved[definitions.EMBEDDING_MODEL] == "bge-m3"
    assert not resolved[STACK_DEFAULT_PORTS]
    assert load_stack_pins()["qdrant"].limits.memory_mb == pins["services"]["qdrant"]["limits"]["memory_mb"]
    assert load_stack_pins()["redis"].accept["valkey"] == pins["services"]["redis"]["accept"]["valkey"]


def test_whole_pins_are_ours_to_the_letter(project: Path) -> None:
    """Another ragbed then changes no version of the project."""
    assert "every version of a service that this ragbed pins" in run(project, "--whole-pins").stdout

    for name in ("stack.toml", "models.lock.json"):
        assert (project / name).read_bytes() == our_pin_file(name).read_bytes()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, ".ragbed/\nragbed.local.toml\n"),
        ("*.pyc", "*.pyc\n.ragbed/\nragbed.local.toml\n"),
        ("/.ragbed\n", "/.ragbed\nragbed.local.toml\n"),
        ("ragbed.local.toml\n.ragbed/\n", "ragbed.local.toml\n.ragbed/\n"),
    ],
    ids=["none", "no-newline", "in-another-form", "complete"],
)
def test_gitignore_is_added_to(before: str | None, after: str, project: Path) -> None:
    """Its lines stay, and only what it lacks is added."""
    (project / ".git").mkdir()
    if before is not None:
        (project / ".gitignore").write_text(before, encoding="utf-8")

    write_first_files(project)

    assert (project / ".gitignore").read_text(encoding="utf-8") == after


def test_a_gitignore_that_cannot_be_read_is_refused_before_anything_is_written(project: Path) -> None:
    """What to add by hand is said."""
    (project / ".git").mkdir()
    (project / ".gitignore").write_bytes(b"caf\xe9\n")

    done = run(project)

    assert (done.returncode, list(project.glob("*.toml"))) == (2, [])
    assert done.stderr.splitlines()[-1] == "try: add .ragbed/ and ragbed.local.toml to it yourself"


def test_outside_of_git_there_is_no_gitignore(project: Path) -> None:
    """Nothing would read it."""
    assert write_first_files(project).ignored == ()
    assert not (project / ".gitignore").exists()


def test_the_folder_can_be_named(project: Path) -> None:
    """A project within another one; git's top has ignored the rest already."""
    (project / ".git").mkdir()
    (project / ".gitignore").write_text(".ragbed/\nragbed.local.toml\n", encoding="utf-8")
    (part := project / "part").mkdir()

    said = json.loads(run(project, "part", "--json").stdout)

    assert said["folder"] == str(part)
    assert sorted(path.name for path in part.iterdir()) == sorted(FILES)
    assert run(project, "nowhere").returncode == 2


def test_nothing_is_written_among_installed_files(project: Path) -> None:
    """A package's folder is not a project."""
    (folder := project / "site-packages" / "ragbed").mkdir(parents=True)

    with pytest.raises(ConfigurationError, match="belongs to an installed package"):
        write_first_files(folder)

    assert list(folder.iterdir()) == []
