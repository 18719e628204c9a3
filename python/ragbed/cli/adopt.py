"""`ragbed adopt`: allow writing to stores that ragbed did not start, and say who did."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

if TYPE_CHECKING:
    from ragbed.guard import Identity, Store
    from ragbed.settings import Settings

SCHEMES = {
    "postgres": ("postgres",),
    "postgresql": ("postgres",),
    "redis": ("redis",),
    "rediss": ("redis",),
    "http": ("qdrant", "ollama"),
    "https": ("qdrant", "ollama"),
}
"""What may answer at an address, by its scheme."""


@click.command(epilog="Example: ragbed adopt postgresql://me:secret@127.0.0.1/scratch")
@click.argument("urls", metavar="URL...", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask after showing what is there.")
@click.option(
    "--started-by",
    metavar="NAME",
    default="",
    help="Who started it, for example devenv: every terminal of this checkout then finds it, and says so.",
)
def adopt(*, urls: tuple[str, ...], yes: bool, started_by: str) -> None:
    """Mark stores that ragbed did not start as ones it may write to.

    Shows what is there first. The marker is a table, a key or a collection; delete it to take the mark back. An
    Ollama needs none, since nothing is written to it; with --started-by it is remembered like the others. Adopting
    again changes nothing.
    """
    from ragbed.guard import check_url, refuse_writes
    from ragbed.settings import resolve_settings
    from ragbed.stack import find_state_folder, project_folder
    from ragbed.stack.announced import announce

    settings = resolve_settings(folder=project_folder())
    refuse_writes(settings, command="ragbed adopt")
    for url in urls:
        check_url(settings, url, named="the URL")
    for url in urls:
        service, normal = _adopt(settings, url, yes=yes)
        folder = find_state_folder()
        if started_by or folder.exists():
            announce(folder.prepared(), service, normal, started_by=started_by)


def _adopt(settings: Settings, url: str, *, yes: bool) -> tuple[str, str]:
    """Show what answers at an address, mark it, and return its service and the address in the normal form.

    Raises:
        UsageError: It is no address of a store, or nobody said yes.
        ServiceMissing: Nothing answers there.
        ServiceNotReady: What answers is nothing that can be marked.
    """
    from datetime import UTC, datetime

    from ragbed.errors import ServiceMissing, ServiceNotReady, UsageError
    from ragbed.guard import NotThere, WrongService, redacted

    candidates = SCHEMES.get(urlsplit(url).scheme.partition("+")[0])
    shown = redacted(url)
    if candidates is None:
        raise UsageError(f"{shown} is no URL of a store", hint="postgresql://, redis:// or Qdrant's http://")
    try:
        service, normal, store, identity = _recognise(candidates, url, settings)
        click.echo(f"{identity.product} {identity.version} at {shown} holds:")
        for line in store.contents():
            click.echo(f"  {line}")
        if service == "ollama":
            click.echo("Nothing is ever written to an Ollama: it needs no marker.")
        elif store.is_marked():
            click.echo("It carries ragbed's marker already.")
        else:
            if not yes:
                _ask(shown)
            store.mark(f"adopted {datetime.now(UTC).isoformat(timespec='seconds')}")
            click.echo("Adopted.")
    except NotThere as error:
        raise ServiceMissing(
            f"{candidates[0]} does not answer at {shown}: {error}", hint="start it"
        ) from error
    except WrongService as error:
        raise ServiceNotReady(
            f"what answers at {shown} is no {candidates[0]} we can mark: {error}"
        ) from error
    return service, normal


def _recognise(candidates: tuple[str, ...], url: str, settings: Settings) -> tuple[str, str, Store, Identity]:
    """Return which of the candidates answers: its service, address in the normal form, client and identity."""
    from ragbed.guard import WrongService, open_store
    from ragbed.settings import definitions
    from ragbed.stack.attaching import normalised

    complaints: list[WrongService] = []
    for service in candidates:
        normal = normalised(service, url, named="the URL")
        store = open_store(service, normal, api_key=settings[definitions.QDRANT_API_KEY], timeout_s=5.0)
        try:
            return service, normal, store, store.identify()
        except WrongService as error:
            complaints.append(error)
    raise complaints[0]


def _ask(shown: str) -> None:
    """Ask whether the store may be written to.

    Raises:
        UsageError: The answer is no, or nobody is there to give one.
    """
    from ragbed.errors import UsageError

    click.echo("May ragbed write to it, and delete what it wrote? [y/N]: ", nl=False)
    answer = sys.stdin.readline() if sys.stdin is not None else ""  # closed by `<&-`
    if answer.strip().lower() in {"y", "yes"}:
        return
    if not answer:
        click.echo()  # the question's line has no end yet
        raise UsageError("nobody is there to answer", hint="say so beforehand: ragbed adopt URL --yes")
    raise UsageError(f"{shown} is left as it is", hint="answer y, or give --yes")
