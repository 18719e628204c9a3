"""`scripts/update-pins`: what is newer than the pins, shown as a diff, checked, asked, then written."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from ragbed.errors import RagbedError, UsageError
from ragbed.pins.stack_file import stack_file_path
from ragbed.pins.updating import Draft, Nix, update_images, update_nixpkgs, update_wheels

if TYPE_CHECKING:
    from pathlib import Path

SOURCES = ("images", "nix", "wheels")


@click.command(epilog="Example: scripts/update-pins images --dry-run")
@click.argument("sources", metavar="[images] [nix] [wheels]", nargs=-1, type=click.Choice(SOURCES))
@click.option(
    "--nixpkgs", metavar="REF", default="", help="A commit or flake reference; default: the newest."
)
@click.option("--registry", metavar="URL", default="", help="A mirror to ask for every image.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and write nothing.")
@click.option("--yes", is_flag=True, help="Do not ask before writing.")
def update(*, sources: tuple[str, ...], nixpkgs: str, registry: str, dry_run: bool, yes: bool) -> None:
    """Bring the pins of this checkout up to date; all of them, unless some are named.

    \b
    images   the digest that each image's tag in stack.toml has now
    nix      nixpkgs in flake.lock and devenv.lock together, and the versions that it has
    wheels   the wheels of the flake's package, as requirements.lock pins them

    Models are another command: `ragbed models lock`.
    """  # noqa: D301 - \b keeps the layout
    draft = Draft(root=_checkout())
    nix = Nix(draft.root)
    chosen = sources or SOURCES
    if "images" in chosen:
        update_images(draft, registry=registry)
    if "nix" in chosen:
        update_nixpkgs(draft, nix, reference=nixpkgs)
    if "wheels" in chosen:
        update_wheels(draft, nix)
    if not draft.changes:
        click.echo("Every pin is up to date.")
        return
    draft.pins()  # refuses what would be wrong
    click.echo(draft.diff(), nl=False)
    for change in draft.changes:
        click.echo(change)
    if dry_run:
        click.echo("Nothing was written: --dry-run.")
        return
    if not yes:
        _ask()
    draft.save()
    click.echo("Written. Now: ./scripts/test, and commit the files together.")


def _checkout() -> Path:
    """Return the checkout whose pins are in force.

    Raises:
        UsageError: The pins in force are an installed package's.
    """
    root = stack_file_path().parent
    if not (root / "pyproject.toml").is_file():
        raise UsageError(f"{root} is not a checkout of ragbed: its pins came with the package")
    return root


def _ask() -> None:
    click.echo("Write this? [y/N]: ", nl=False)
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        click.echo()
        raise UsageError("nothing was written", hint="answer y, or give --yes")


def main() -> None:
    """Run the command, and explain what goes wrong."""
    try:
        update(prog_name="scripts/update-pins")
    except RagbedError as error:
        click.echo(f"update-pins: {error.render()}", err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
