"""Help: every command explains itself with an example, at once."""

from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner

from ragbed.cli import COMMANDS, ragbed
from ragbed.errors import ExitCode

GROUPS = {"config": ["explain"], "qdrant": ["serve"], "llm": ["serve"]}
PATHS = [[name] for name in COMMANDS] + [[group, name] for group, names in GROUPS.items() for name in names]


@pytest.mark.parametrize("path", PATHS, ids=[" ".join(path) for path in PATHS])
def test_every_command_explains_itself_with_an_example(path: list[str]) -> None:
    """Help ends in an example that names the command."""
    shown = CliRunner().invoke(ragbed, [*path, "--help"]).output

    assert f"ragbed {' '.join(path)}" in shown.rpartition("Example: ")[2]


def test_the_overview_names_every_command() -> None:
    """No command is hidden."""
    shown = CliRunner().invoke(ragbed, ["--help"]).output

    assert [name for name in COMMANDS if f"\n  {name} " not in shown] == []


@pytest.mark.parametrize(
    "words",
    [
        ["nope"],
        ["up", "--nope"],
        ["config", "nope"],
        ["ingest"],
        ["env", "--format", "xml"],
        ["logs", "nope"],
    ],
    ids=" ".join,
)
def test_what_is_not_known_exits_2_on_stderr(words: list[str]) -> None:
    """An unknown command, flag, argument or choice is wrong usage, and prints nothing on stdout."""
    done = subprocess.run(
        [sys.executable, "-m", "ragbed", *words], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (ExitCode.USAGE, "")
    assert words[-1] in done.stderr or "FOLDER" in done.stderr


def test_a_mistyped_command_is_answered_with_the_nearest() -> None:
    """As a mistyped flag or setting is."""
    shown = CliRunner().invoke(ragbed, ["statsu"]).output

    assert "No such command 'statsu'. Did you mean 'status'?" in shown


@pytest.mark.parametrize("group", [*GROUPS, "models"])
def test_the_help_of_a_group_cuts_no_line(group: str) -> None:
    """What a command does is said whole on 80 columns."""
    shown = CliRunner().invoke(ragbed, [group, "--help"], terminal_width=80).output

    assert "..." not in shown.partition("Commands:")[2]


def test_help_imports_nothing_heavy() -> None:
    """The overview loads no validation, no driver, no web server and no table printer."""
    heavy = {"pydantic", "psycopg", "rich", "starlette", "qdrant_client", "redis", "numpy", "psutil"}
    code = (
        "import sys\n"
        "from ragbed.cli import ragbed\n"
        "ragbed.main(['--help'], standalone_mode=False)\n"
        f"print(sorted(set(sys.modules) & {heavy!r}), file=sys.stderr)\n"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stderr.strip() == "[]"


def test_the_version_is_the_packages() -> None:
    """`ragbed --version` names the package's version."""
    from ragbed import __version__

    assert CliRunner().invoke(ragbed, ["--version"]).output == f"ragbed, version {__version__}\n"
