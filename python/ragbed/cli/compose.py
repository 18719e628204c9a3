"""`ragbed compose`: the compose file of the pins."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(epilog="Example: ragbed compose && docker compose --profile mock up --wait")
@click.option(
    "--images",
    type=click.Choice(["pinned", "local"]),
    default="pinned",
    show_default=True,
    help="Upstream's images, or an override with those that scripts/build-images has built.",
)
@click.option(
    "--check", is_flag=True, help="Write nothing; fail where the file is not what would be written."
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="F",
    help="Where to; - for stdout. [default: compose.yaml, or compose.local.yaml, in the project's folder]",
)
def compose(*, images: str, check: bool, output: Path | None) -> None:
    """Write compose.yaml from stack.toml: images by digest, loopback ports, health checks, limits, profiles."""
    from ragbed.containers.compose import NAME, OVERRIDE, compose_text
    from ragbed.containers.local_images import local_override
    from ragbed.errors import CheckFailed
    from ragbed.pins import load_stack_pins
    from ragbed.project import project_folder
    from ragbed.state.files import SHARED, write_atomically

    text = compose_text(load_stack_pins()) if images == "pinned" else local_override()
    if output == Path("-"):
        click.echo(text, nl=False)
        return
    path = output or project_folder() / (NAME if images == "pinned" else OVERRIDE)
    if check:
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            raise CheckFailed(f"{path} is not what the pins give", hint="ragbed compose")
        return
    write_atomically(path, text, mode=SHARED)
    click.echo(f"wrote {path}", err=True)
