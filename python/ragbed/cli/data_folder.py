"""The data folder of the embedded Qdrant, as its commands take it."""

from __future__ import annotations

from pathlib import Path

import click

data_option = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    show_default="qdrant in the state folder, .ragbed",
    metavar="DIR",
    help="Folder of the collections.",
)
"""`--data DIR`."""


def data_or_default(data: Path | None) -> Path:
    """Return the folder that was given, or the one in the state folder."""
    if data is not None:
        return data
    from ragbed.state import find_state_folder

    return find_state_folder().prepared().qdrant
