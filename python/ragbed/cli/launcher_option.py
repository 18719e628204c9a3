"""The option `--launcher`: how services are started, all of them or single ones."""

from __future__ import annotations

import click

launcher_option = click.option(
    "--launcher",
    "launchers",
    multiple=True,
    metavar="[SERVICE=]NAME",
    help="How services come to run: attach, process or container; again for single ones, as postgres=container.",
)
