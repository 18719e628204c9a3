"""The scripts set up what they need: from any folder, once, and with one clear line where they cannot."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from ragbed import __version__

SOURCE = Path(__file__).resolve().parents[3]
PYTHONS = ("python3", "python3.11", "python3.12", "python3.13", "python3.14")
TOOLS = ("bash", "sh", "cat", "cmp", "cp", "dirname", "env", "id", "mkdir", "readlink", "stat")
# A Python that makes an environment of a single script, installs nothing, and notes what it was asked for.
NOTING = """#!/bin/sh
case "$*" in
  "-m venv "*) echo venv >>'{notes}'; mkdir -p "$4/bin"; cp "$0" "$4/bin/python" ;;
  *"-m pip install"*) echo pip >>'{notes}' ;;
  *) exec '{python}' "$@" ;;
esac
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """A copy of what the scripts need, and a PATH that holds what a test wants.

    Attributes:
        root: The checkout, below a folder with a space in its name.
        path: The only folder on PATH.
    """

    root: Path
    path: Path

    @property
    def notes(self) -> list[str]:
        """What the noting Python was asked for, in order."""
        file = self.root.parent / "notes"
        return file.read_text(encoding="utf-8").split() if file.exists() else []

    def put_python(self, text: str, names: tuple[str, ...] = PYTHONS) -> None:
        """Put a script on PATH under the usual names of Python."""
        for name in names:
            (self.path / name).write_text(text, encoding="utf-8")
            (self.path / name).chmod(0o755)

    def put_noting_python(self) -> None:
        """Put the Python on PATH that notes and installs nothing."""
        self.put_python(NOTING.format(notes=self.root.parent / "notes", python=sys.executable))

    def install(self, python: str = f"#!/bin/sh\nexec '{sys.executable}' \"$@\"\n") -> None:
        """Make an environment that needs no installation."""
        program = self.root / ".venv" / "bin" / "python"
        program.parent.mkdir(parents=True)
        program.write_text(python, encoding="utf-8")
        program.chmod(0o755)
        parts = [(self.root / name).read_text("utf-8") for name in ("requirements.lock", "pyproject.toml")]
        (self.root / ".venv" / "ragbed.stamp").write_text(f"{self.root}\n{''.join(parts)}", encoding="utf-8")

    def run(
        self, script: str, *words: str, cwd: Path | None = None, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a script as somebody would type it."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("RAGBED_", "IN_NIX"))}
        return subprocess.run(
            [script, *words],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            cwd=cwd or self.root,
            env={**clean, "PATH": str(self.path), **environ},
        )


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A checkout without an environment, on a PATH without Python."""
    root = tmp_path / "my projects" / "rag bed"
    shutil.copytree(SOURCE / "scripts", root / "scripts")
    for name in ("requirements.lock", "pyproject.toml", "stack.toml"):
        shutil.copy(SOURCE / name, root / name)
    path = tmp_path / "path"
    path.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found
        (path / tool).symlink_to(found)
    return Checkout(root=root, path=path)


def test_a_script_works_through_a_link(checkout: Checkout, tmp_path: Path) -> None:
    """A link to a script, in a folder of one's own programs, finds the checkout behind it."""
    checkout.install()
    (tmp_path / "rb").symlink_to(checkout.root / "scripts" / "ragbed")

    assert checkout.run(str(tmp_path / "rb"), "--version", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("script", "folder"),
    [
        pytest.param("{}/scripts/ragbed", "/", id="absolute"),
        pytest.param("scripts/ragbed", "{}", id="from-the-checkout"),
        pytest.param("./ragbed", "{}/scripts", id="from-its-own-folder"),
        pytest.param("../rag bed/scripts/ragbed", "{}", id="from-beside-with-spaces"),
    ],
)
def test_a_script_works_from_any_folder(script: str, folder: str, checkout: Checkout) -> None:
    """Wherever it is called from, and with spaces in the path, it finds its checkout."""
    checkout.install()

    done = checkout.run(script.format(checkout.root), "--version", cwd=Path(folder.format(checkout.root)))

    assert (done.returncode, done.stdout, done.stderr) == (0, f"ragbed, version {__version__}\n", "")


def test_the_checkouts_own_pins_are_in_force(checkout: Checkout) -> None:
    """Called from elsewhere, the scripts still speak of their checkout."""
    checkout.install()

    done = checkout.run(f"{checkout.root}/scripts/ragbed", "pins", cwd=Path("/"))

    assert f"from {checkout.root}/stack.toml" in done.stdout


@pytest.mark.parametrize(("script", "says"), [("up", "Usage: ragbed up"), ("smoke", "Usage: ragbed smoke")])
def test_the_short_scripts_hand_their_words_on(script: str, says: str, checkout: Checkout) -> None:
    """scripts/up and scripts/smoke are the commands of that name."""
    checkout.install()

    assert checkout.run(f"{checkout.root}/scripts/{script}", "--help").stdout.startswith(says)


def test_the_commands_exit_code_is_the_scripts(checkout: Checkout) -> None:
    """What ragbed says is not lost."""
    checkout.install()

    assert checkout.run("scripts/ragbed", "nope").returncode == 2


def test_an_installed_environment_is_not_touched(checkout: Checkout) -> None:
    """Where the stamp fits nothing is installed."""
    checkout.put_noting_python()
    checkout.install()

    checkout.run("scripts/ragbed", "--version")

    assert checkout.notes == []


def test_the_first_run_installs_once(checkout: Checkout) -> None:
    """The environment is made, then the lock and the package are installed; the second run does nothing."""
    checkout.put_noting_python()

    first = checkout.run("scripts/ragbed", "--version")
    checkout.run("scripts/ragbed", "--version")

    assert checkout.notes == ["venv", "pip", "pip"]
    assert first.stderr.startswith("ragbed: installing its Python packages into ")


def test_a_new_lock_is_installed_into_the_same_environment(checkout: Checkout) -> None:
    """What was made here is brought up to date, not made anew."""
    checkout.put_noting_python()
    checkout.run("scripts/ragbed", "--version")
    with (checkout.root / "requirements.lock").open("a", encoding="utf-8") as lock:
        lock.write("# changed\n")

    checkout.run("scripts/ragbed", "--version")

    assert checkout.notes == ["venv", "pip", "pip", "pip", "pip"]


def test_an_environment_whose_python_has_gone_is_made_anew(checkout: Checkout) -> None:
    """A stamp that fits is no use without a Python behind it."""
    checkout.put_noting_python()
    checkout.install()
    (checkout.root / ".venv" / "bin" / "python").unlink()
    (checkout.root / ".venv" / "bin" / "python").symlink_to("/nowhere/python3")

    checkout.run("scripts/ragbed", "--version")

    assert checkout.notes[:1] == ["venv"]


def test_a_moved_checkout_makes_its_environment_anew(checkout: Checkout) -> None:
    """An environment knows where it lies: what was moved is not reused."""
    checkout.put_noting_python()
    checkout.install()
    moved = checkout.root.with_name("moved")
    checkout.root.rename(moved)

    Checkout(root=moved, path=checkout.path).run("scripts/ragbed", "--version")

    assert checkout.notes == ["venv", "pip", "pip"]


def test_two_first_runs_at_once_install_once(checkout: Checkout) -> None:
    """The second waits for the first and finds the work done."""
    checkout.put_noting_python()

    with ThreadPoolExecutor(max_workers=2) as pool:
        runs = list(pool.map(lambda _: checkout.run("scripts/ragbed", "--version"), range(2)))

    assert [run.returncode for run in runs] == [0, 0]
    assert checkout.notes == ["venv", "pip", "pip"]


def test_a_step_that_fails_is_named(checkout: Checkout) -> None:
    """The command that failed is shown, the exit code is 2, and the next run tries again."""
    checkout.put_python(
        NOTING.format(notes=checkout.root.parent / "notes", python=sys.executable).replace(
            "echo pip", "exit 1; echo pip"
        )
    )

    runs = [checkout.run("scripts/ragbed", "--version") for _ in range(2)]

    assert [run.returncode for run in runs] == [2, 2]
    assert "ragbed: this step failed: " in runs[0].stderr


def test_a_python_without_venv_gets_one_line_with_the_package(checkout: Checkout) -> None:
    """The package to install is named."""
    checkout.put_python(
        f'#!/bin/sh\ncase "$*" in *ensurepip*) exit 1 ;; esac\nexec \'{sys.executable}\' "$@"\n'
    )

    done = checkout.run("scripts/ragbed", "--version")

    major, minor = sys.version_info[:2]
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert f"has no venv module: install the package python{major}.{minor}-venv" in done.stderr


@pytest.mark.parametrize("found", [PYTHONS, ()], ids=["too-old", "none"])
def test_without_a_new_enough_python_the_version_is_named(found: tuple[str, ...], checkout: Checkout) -> None:
    """Too old and missing alike: what is needed, and how to say where it is."""
    checkout.put_python("#!/bin/sh\nexit 1\n", found)

    done = checkout.run("scripts/ragbed", "--version")

    assert done.returncode == 2
    assert done.stderr == (
        "ragbed needs Python 3.11 or newer, and found none on PATH\n"
        "try: install it, or set PYTHON=/path/to/python3.11\n"
    )


def test_a_newer_python_is_found_behind_an_old_one(checkout: Checkout) -> None:
    """python3 may be old where python3.12 is there too."""
    checkout.put_noting_python()
    checkout.put_python("#!/bin/sh\nexit 1\n", ("python3",))

    done = checkout.run("scripts/ragbed", "--version")

    assert (done.returncode, checkout.notes) == (0, ["venv", "pip", "pip"])


def test_a_named_python_is_taken(checkout: Checkout) -> None:
    """PYTHON=/path wins over PATH."""
    checkout.put_noting_python()
    named = checkout.root.parent / "named python"
    (checkout.path / "python3.11").rename(named)
    checkout.put_python("#!/bin/sh\nexit 1\n")

    done = checkout.run("scripts/ragbed", "--version", PYTHON=str(named))

    assert (done.returncode, checkout.notes) == (0, ["venv", "pip", "pip"])


def test_the_environment_may_lie_elsewhere(checkout: Checkout) -> None:
    """RAGBED_VENV names a folder that need not exist yet."""
    checkout.put_noting_python()
    elsewhere = checkout.root.parent / "cache" / "venv"

    done = checkout.run("scripts/ragbed", "--version", RAGBED_VENV=str(elsewhere))

    assert (done.returncode, (elsewhere / "bin" / "python").exists()) == (0, True)
    assert not (checkout.root / ".venv").exists()


def test_in_a_nix_shell_that_has_ragbed_nothing_is_installed(checkout: Checkout) -> None:
    """The shell's own Python is used."""
    checkout.put_noting_python()

    done = checkout.run("scripts/ragbed", "--version", IN_NIX_SHELL="impure")

    assert (done.returncode, checkout.notes) == (0, []), done.stderr
    assert not (checkout.root / ".venv").exists()


def test_the_source_folder_is_not_taken_for_an_installed_ragbed(checkout: Checkout) -> None:
    """A Nix shell whose Python lacks what ragbed needs gets an environment, wherever the command is typed."""
    lacking = NOTING.replace("exec '{python}'", "exec '{python}' -S")
    checkout.put_python(lacking.format(notes=checkout.root.parent / "notes", python=sys.executable))
    source = checkout.root / "python"
    shutil.copytree(
        SOURCE / "python" / "ragbed", source / "ragbed", ignore=shutil.ignore_patterns("__pycache__")
    )

    checkout.run("../scripts/ragbed", "--version", cwd=source, IN_NIX_SHELL="impure")

    assert checkout.notes == ["venv", "pip", "pip"]
