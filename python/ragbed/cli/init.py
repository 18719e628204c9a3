"""`ragbed init`: the first files of a project."""

from __future__ import annotations

from pathlib import Path

import click

_SAYS = {
    "ragbed.toml": "its settings: the models it uses, and more",
    "stack.toml": "its own pins of services, where they differ from ragbed's",
    "models.lock.json": "its own pins of models, where they differ from ragbed's",
}
_SAYS_WHOLE = {
    "ragbed.toml": _SAYS["ragbed.toml"],
    "stack.toml": "every version of a service that this ragbed pins",
    "models.lock.json": "every model that this ragbed pins",
}
_NEXT = (
    ("ragbed doctor", "what this machine has, and what to type for what it lacks"),
    ("ragbed smoke", "that everything works here"),
    ("python -m pytest", "your tests; the fixture ragbed_environ leads your application to the stack"),
)


@click.command(epilog="Example: ragbed init && ragbed smoke")
@click.argument(
    "folder",
    required=False,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="[FOLDER]",
)
@click.option("--whole-pins", is_flag=True, help="Pin every version that this ragbed pins, not only a part.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
def init(*, folder: Path | None, whole_pins: bool, as_json: bool) -> None:
    """Write a first ragbed.toml, stack.toml and models.lock.json into the project.

    Into FOLDER, else into the project that the current folder lies in. A file that is there is kept as it is.
    In a git checkout, .gitignore learns of the state folder, .ragbed/.
    """
    from ragbed.cli.output import show_json
    from ragbed.first_files import write_first_files
    from ragbed.project import project_folder

    done = write_first_files((folder or project_folder()).absolute(), whole_pins=whole_pins)
    if as_json:
        lists = {"written": done.written, "kept": done.kept, "ignored": done.ignored}
        show_json({"folder": str(done.folder), **lists, "next": [command for command, _ in _NEXT]})
        return
    says = _SAYS_WHOLE if whole_pins else _SAYS
    click.echo(f"in {done.folder}")
    for name in done.written:
        click.echo(f"  wrote {name:<17} {says[name]}")
    for name in done.kept:
        click.echo(f"  kept  {name:<17} it was there already")
    if done.ignored:
        click.echo(f"  added {' and '.join(done.ignored)} to .gitignore")
    click.echo("next:")
    for command, why in _NEXT:
        click.echo(f"  {command:<17} {why}")
