"""`docs/your-project.md`, followed to the letter: from a wheel, in a fresh environment and folder, to green tests."""

from __future__ import annotations

import os
import re
import shutil
import site
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from ragbed import pytest_plugin

CHECKOUT = Path(__file__).resolve().parents[3]
PAGE = (CHECKOUT / "docs" / "your-project.md").read_text(encoding="utf-8")
FENCES = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = [text for language, text in FENCES if language == "bash"]
SET = "import os\n\n\ndef test_set():\n    assert os.environ['DATABASE_URL'] and os.environ['OLLAMA_HOST']\n"
REQUIREMENT = "'ragbed[embedded] @ git+https://git.example.com/ragbed.git'"


def named(text: str) -> str:
    """Return the name that a fence's first line gives its file; empty where it gives none."""
    named = re.match(r"(?:#|<!--) ([\w/]+\.\w+)(?: -->)?\n", text)
    return named[1] if named else ""


FILES = {named(text): text for _, text in FENCES if named(text)}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as a stranger gets it."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=CHECKOUT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("ragbed-*.whl")
    return built


@pytest.fixture(scope="module")
def dependencies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an index would give: everything that is installed here, but ragbed."""
    folder = tmp_path_factory.mktemp("dependencies")
    for installed in Path(site.getsitepackages()[0]).iterdir():
        if not installed.name.startswith("ragbed") and installed.suffix != ".pth":
            (folder / installed.name).symlink_to(installed)
    return folder


def typed(command: str, folder: Path) -> str:
    """Type a command of the page into a shell that knows nothing of ragbed, and return what it printed."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("RAGBED_", "VIRTUAL_", "PYTHON"))
    }
    environ = {**clean, "PIP_NO_INDEX": "1", "RAGBED_STACK__DEFAULT_PORTS": "false"}
    python = f"PATH={Path(sys.executable).parent}:$PATH\n"
    done = subprocess.run(
        ["bash", "-euc", python + command],
        cwd=folder,
        env=environ,
        text=True,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def project(wheel: Path, dependencies: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose environment has ragbed, by the page's first commands."""
    folder = tmp_path_factory.mktemp("handbook")
    (folder / ".git").mkdir()
    first, rest = COMMANDS[0].split("\n", 1)
    third_parties = f"echo {dependencies} >$(echo .venv/lib/python*/site-packages)/dependencies.pth\n"
    assert REQUIREMENT in rest
    typed(first + "\n" + third_parties + rest.replace(REQUIREMENT, f"'{wheel}[embedded]'"), folder)
    return folder


def test_the_first_test_is_green(project: Path) -> None:
    """Ten lines: the commands, and the test of an application that knows nothing of ragbed."""
    for name in ("app.py", "test_app.py"):
        (project / name).write_text(FILES[name], encoding="utf-8")

    said = typed(f". .venv/bin/activate\n{COMMANDS[1]}", project)
    where = typed(". .venv/bin/activate\npython -c 'import ragbed; print(ragbed.__file__)'", project)

    assert "1 passed" in said
    assert Path(where.strip()).is_relative_to(project / ".venv")
    lines = [line for text in (*COMMANDS[:2], FILES["test_app.py"]) for line in text.splitlines()]
    assert len([line for line in lines if line and not line.startswith("#")]) <= 10


def test_own_models_pins_and_documents_are_green(project: Path) -> None:
    """The rest of the page: the files that it names stand in the project, and its tests pass.

    Its conftest.py is for an application that reads its environment once; it gets a folder, and a test, of its own.
    """
    for name, text in {
        **FILES,
        "session/test_set.py": SET,
        "session/conftest.py": FILES["conftest.py"],
    }.items():
        if name != "conftest.py":
            (project / name).parent.mkdir(exist_ok=True)
            (project / name).write_text(text, encoding="utf-8")

    said = typed(f". .venv/bin/activate\n{COMMANDS[1]}", project)

    assert f"{1 + len([name for name in FILES if name.startswith('test_')])} passed" in said


def test_uv_takes_the_pages_ways(tmp_path: Path) -> None:
    """A checkout's path and a Git address, with the servers."""
    uv = shutil.which("uv", path=str(Path(sys.executable).parent))
    lines = [line for text in COMMANDS for line in text.splitlines() if line.startswith("uv add")]
    text = '[project]\nname = "handbook"\nversion = "0"\nrequires-python = ">=3.11"\n'

    for number, line in enumerate(lines):
        (folder := tmp_path / str(number)).mkdir()
        (folder / "pyproject.toml").write_text(text, encoding="utf-8")
        command = line.replace("/path/to/ragbed", str(CHECKOUT)).replace(
            "uv add", f"{uv} add --frozen --offline"
        )
        typed(command, folder)
        added = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
        assert added["dependency-groups"]["dev"] == ["pytest", "ragbed[embedded]"]
        assert "ragbed" in added["tool"]["uv"]["sources"]
    assert len(lines) == 2


def test_the_readme_says_the_same() -> None:
    """Its ten lines are the page's."""
    readme = (CHECKOUT / "README.md").read_text(encoding="utf-8")

    for text in (*COMMANDS[:2], FILES["test_app.py"]):
        assert f"\n{text}```\n" in readme


def test_every_fixture_is_told() -> None:
    """The table has a line for each fixture of the plugin."""
    fixtures = {name for name in vars(pytest_plugin) if name.startswith("ragbed_")}

    assert set(re.findall(r"^\| `(ragbed_\w+)` ", PAGE, re.MULTILINE)) == fixtures
