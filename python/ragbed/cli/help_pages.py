"""The help of every command as one Markdown page: `python -m ragbed.cli.help_pages > docs/commands.md`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ragbed.cli import ragbed

if TYPE_CHECKING:
    from collections.abc import Iterator

_WIDTH = 100  # columns; the page is the same on every terminal


def help_page() -> str:
    """Return the page: each command with its usage, arguments and options, in the order of `ragbed --help`."""
    parts = [
        "# Commands",
        "",
        "What `ragbed COMMAND --help` prints. `scripts/help-pages` writes this page.",
    ]
    for name, text in _helps(ragbed, "ragbed"):
        parts += ["", f"## `{name}`", "", "```text", text, "```"]
    return "\n".join(parts) + "\n"


def _helps(command: click.Command, name: str) -> Iterator[tuple[str, str]]:
    """Yield the name and help of a command, then those of its subcommands."""
    context = click.Context(
        command,
        info_name=name,
        terminal_width=_WIDTH,
        max_content_width=_WIDTH,
        help_option_names=["-h", "--help"],
    )
    yield name, "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    if isinstance(command, click.Group):
        for word in command.list_commands(context):
            subcommand = command.get_command(context, word)
            if subcommand and not subcommand.hidden:
                yield from _helps(subcommand, f"{name} {word}")


if __name__ == "__main__":
    click.echo(help_page(), nl=False)
