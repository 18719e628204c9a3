"""`ragbed models`: the pinned models, by digest."""

from __future__ import annotations

import click

from ragbed.cli.model_files import fetch, prune, store
from ragbed.cli.model_fingerprint import fingerprint
from ragbed.cli.model_lock import list_models, lock, show, why
from ragbed.cli.model_verify import verify


@click.group(epilog="Example: ragbed models fetch --set small && ragbed models store --set small")
def models() -> None:
    """List, fetch, lay out, compare and lock the pinned models, by digest."""


for command in (list_models, show, fetch, store, verify, fingerprint, lock, why, prune):
    models.add_command(command)
