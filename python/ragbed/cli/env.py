"""`ragbed env`: the stack's addresses for other programs."""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ragbed.stack.record import StackRecord

_PLAIN = re.compile(r"[\w:/@%.,?=+\[\]-]+", re.ASCII)
"""What no reader of env files takes for more than it is."""


@click.command(epilog='Example: eval "$(ragbed env)"   or, in fish:   ragbed env --format fish | source')
@click.option(
    "--format",
    "form",
    type=click.Choice(["sh", "fish", "dotenv", "json"]),
    default="sh",
    show_default=True,
    help="For which reader.",
)
def env(*, form: str) -> None:
    """Print the stack's addresses: DATABASE_URL, REDIS_URL, QDRANT_URL, OLLAMA_HOST.

    Where no stack of ragbed's is up, those of the services that run, such as devenv's.
    """
    from ragbed.cli.output import note, show_json
    from ragbed.cli.project import project_settings
    from ragbed.errors import ExitCode, ServiceMissing
    from ragbed.settings import application_environ
    from ragbed.stack import Found, find_services, running_record
    from ragbed.stack.addresses import address_variables
    from ragbed.stack.judging import refuse_foreign_stack, require_adopted
    from ragbed.state import find_state_folder

    settings = project_settings()
    folder = find_state_folder()
    refuse_foreign_stack(folder)
    record = running_record(folder) if folder.root.exists() else None
    if record:
        require_adopted(record, settings, folder)
    services = Found(endpoints=record.endpoints) if record else find_services(settings, folder)
    if not services.endpoints:
        raise ServiceMissing("nothing is up", details=services.notes, hint="ragbed up -d")
    values = {**address_variables(services.endpoints), **application_environ(settings)}
    if form == "json":
        show_json(values)
    else:
        for name, value in values.items():
            click.echo(_line(form, name, value))
    if services.missing:
        note(f"ragbed: no {' and no '.join(services.missing)}: see `ragbed status`")
        raise SystemExit(ExitCode.SERVICE_MISSING)


def variables_of(record: StackRecord) -> list[str]:
    """Return the variables of this process that hold addresses of a stack's own services."""
    from ragbed.stack.addresses import address_variables

    own = {name: one for name, one in record.endpoints.items() if one.launcher != "attach"}
    return [name for name, url in address_variables(own).items() if os.environ.get(name) == url]


def _line(form: str, name: str, value: str) -> str:
    if form == "fish":
        escaped = value.replace("\\", "\\\\").replace("'", "\\'")
        return f"set -gx {name} '{escaped}'"
    if form == "dotenv":
        # Docker's and GitHub's readers keep quotes, and others agree on single quotes only: a quote or backslash is
        # written as URLs write it, and quotes stand where a reader would take a character for its own.
        encoded = value.replace("\\", "%5C").replace("'", "%27")
        return f"{name}={encoded}" if _PLAIN.fullmatch(encoded) else f"{name}='{encoded}'"
    return f"export {name}={shlex.quote(value)}"
