"""The page of commands is what the commands say."""

from __future__ import annotations

from pathlib import Path

from ragbed.cli import COMMANDS
from ragbed.cli.help_pages import help_page

PAGE = Path(__file__).parents[3] / "docs" / "commands.md"


def test_the_page_of_commands_is_current() -> None:
    """After a change of a command's help, `scripts/help-pages` writes the page anew."""
    assert PAGE.read_text() == help_page()


def test_every_command_stands_on_the_page() -> None:
    """Subcommands too, in the order of the help."""
    heads = [line.strip("# `") for line in help_page().splitlines() if line.startswith("## ")]

    assert [head for head in heads if head.count(" ") == 1] == [f"ragbed {name}" for name in COMMANDS]
    assert "ragbed models verify" in heads
