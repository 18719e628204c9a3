"""`ragbed qdrant quarantine`: damaged collections of the embedded Qdrant, listed and put back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ragbed.cli.data_folder import data_option, data_or_default

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = "ragbed.quarantine/1"


@click.group(
    short_help="List and put back what was set aside as damaged.",
    epilog="Example: ragbed qdrant quarantine list",
)
def quarantine() -> None:
    """List collections set aside as damaged, and put them back."""


@quarantine.command(
    "list",
    epilog="Example: ragbed qdrant quarantine list --data ./qdrant-data --json",
    short_help="Show what is in quarantine, since when and why.",
)
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_quarantined(*, data: Path | None, as_json: bool) -> None:
    """Show the collections in quarantine: name, since when, why, size. The server may run or not."""
    from ragbed.cli.output import show_json, show_table
    from ragbed.qdrant.quarantine import quarantined

    folder = data_or_default(data)
    entries = [entry.to_json() for entry in quarantined(folder)]
    if as_json:
        show_json({"schema": SCHEMA, "data": str(folder), "collections": entries})
    elif entries:
        columns = ("name", "since", "size", "id", "why")
        rows = [
            (item["name"] or "?", item["since"], _size(item["size_bytes"]), item["id"], item["why"])
            for item in entries
        ]
        show_table(columns, rows, right=("size",))
    else:
        click.echo(f"no collection of {folder} is in quarantine")


@quarantine.command(
    epilog="Example: ragbed qdrant quarantine restore lessons",
    short_help="Put a collection back, if it opens.",
)
@click.argument("name")
@data_option
@click.option("--as", "new_name", metavar="NAME", help="Name it so from now on.")
def restore(*, name: str, data: Path | None, new_name: str | None) -> None:
    """Put a collection back that opens again, by its name or id. The server may run or not; it needs no restart.

    It is opened by itself first, and every point is read. One that is still damaged stays in quarantine: exit code 1. A
    name that is not in quarantine, or that a collection has already, is exit code 2.
    """
    from ragbed.qdrant.quarantine import restore as restore_collection

    folder = data_or_default(data)
    click.echo(f"restored {restore_collection(folder, name, new_name=new_name)} below {folder}")


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1024**2:,.1f} MB"
