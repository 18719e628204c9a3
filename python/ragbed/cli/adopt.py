"""`ragbed adopt`: allow writing to a store that ragbed did not start."""

from __future__ import annotations

import sys
from urllib.parse import urlsplit

import click

SCHEMES = {
    "postgres": "postgres",
    "postgresql": "postgres",
    "redis": "redis",
    "rediss": "redis",
    "http": "qdrant",
    "https": "qdrant",
}


@click.command(epilog="Example: ragbed adopt postgresql://me:secret@127.0.0.1/scratch")
@click.argument("url")
@click.option("--yes", is_flag=True, help="Do not ask after showing what is there.")
def adopt(*, url: str, yes: bool) -> None:
    """Mark a store that ragbed did not start as one it may write to.

    Shows what is there first. The marker is a table, a key or a collection; delete it to take the mark back.
    """
    from datetime import UTC, datetime

    from ragbed.errors import ServiceMissing, ServiceNotReady, UsageError
    from ragbed.guard import NotThere, WrongService, check_url, open_store, redacted, refuse_writes
    from ragbed.settings import definitions, resolve_settings
    from ragbed.stack import project_folder
    from ragbed.stack.attaching import normalised

    settings = resolve_settings(folder=project_folder())
    refuse_writes(settings, command="ragbed adopt")
    check_url(settings, url, named="the URL")
    service = SCHEMES.get(urlsplit(url).scheme.partition("+")[0])
    if service is None:
        raise UsageError(
            f"{redacted(url)} is no URL of a store", hint="postgresql://, redis:// or Qdrant's http://"
        )
    url = normalised(service, url, named="the URL")
    store = open_store(service, url, api_key=settings[definitions.QDRANT_API_KEY], timeout_s=5.0)
    try:
        identity = store.identify()
        contents = store.contents()
        marked = store.is_marked()
        click.echo(f"{identity.product} {identity.version} at {redacted(url)} holds:")
        for line in contents:
            click.echo(f"  {line}")
        if marked:
            click.echo("It carries ragbed's marker already.")
            return
        if not yes:
            _ask(redacted(url))
        store.mark(f"adopted {datetime.now(UTC).isoformat(timespec='seconds')}")
    except NotThere as error:
        raise ServiceMissing(
            f"{service} does not answer at {redacted(url)}: {error}", hint="start it"
        ) from error
    except WrongService as error:
        raise ServiceNotReady(
            f"what answers at {redacted(url)} is no {service} we can mark: {error}"
        ) from error
    click.echo("Adopted.")


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
