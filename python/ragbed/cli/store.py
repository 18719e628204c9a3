"""`ragbed store`: what the stores of the stack hold, emptied, copied under a name, and put back."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ragbed.state import StateFolder
    from ragbed.stores import IsolatedStore, Snapshot

CENSUS_SCHEMA = "ragbed.census/1"
SNAPSHOTS_SCHEMA = "ragbed.snapshots/1"

_MOST_KEYS = 5
"""Keys of one prefix that a table shows one by one."""

_SERVICE = click.option(
    "--service",
    "services",
    multiple=True,
    type=click.Choice(["postgres", "redis", "qdrant", "ollama"]),
    help="Only this service; may be given several times.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group(
    short_help="Count, empty, copy and put back what the four stores hold.",
    epilog="Example: ragbed ingest docs/ && ragbed store snapshot ingested && ragbed store restore ingested",
)
def store() -> None:
    """Count, empty, copy and put back what Postgres, Redis, Qdrant and the LLM server hold.

    The commands work on the stack that is up. Of the mock LLM they keep the rules; of a real Ollama they check the
    models and copy nothing. ragbed's own marker in a store is left alone.
    """


@store.command(epilog="Example: ragbed store census --json", short_help="Show names and counts.")
@_SERVICE
@_JSON
def census(*, services: tuple[str, ...], as_json: bool) -> None:
    """Show what each store holds: tables with their rows, keys, collections with their points, models.

    Many keys with the same prefix are one line of the table; --json has them all.
    """
    from ragbed.cli.output import show_json, show_table

    with _stores("ragbed store census", services) as (stores, _):
        counts = {one.service: dict(one.census().counts) for one in stores}
    if as_json:
        show_json({"schema": CENSUS_SCHEMA, "stores": counts})
        return
    rows = [
        (service, name, str(count))
        for service, names in counts.items()
        for name, count in _gathered(names).items()
    ]
    if rows:
        show_table(("service", "name", "count"), rows, right=("count",))
    else:
        click.echo("the stores are empty")


@store.command(epilog="Example: ragbed store reset --service redis", short_help="Empty the stores in place.")
@_SERVICE
def reset(*, services: tuple[str, ...]) -> None:
    """Delete everything in the stores, in place: the servers stay up, and keep ragbed's marker.

    `ragbed reset` stops the servers and deletes their data.
    """
    with _stores("ragbed store reset", services) as (stores, _):
        for one in stores:
            one.reset()
            click.echo(f"{one.service}: emptied")


@store.command(epilog="Example: ragbed store snapshot ingested", short_help="Copy the stores under a name.")
@click.argument("name")
@click.option("--replace", is_flag=True, help="Replace the snapshot that has this name.")
@click.option(
    "--data-class",
    type=click.Choice(["synthetic", "internal"]),
    default="internal",
    show_default=True,
    help="Whose data it is; internal data is kept out of what is shared.",
)
@_SERVICE
@_JSON
def snapshot(*, name: str, replace: bool, data_class: str, services: tuple[str, ...], as_json: bool) -> None:
    """Copy what the stores hold into the state folder.

    Postgres is copied as of one moment, and first. Writers of a Redis that ragbed started wait meanwhile. Qdrant is
    copied collection by collection: do not ingest at the same time.
    """
    from ragbed.cli.events import EventLines
    from ragbed.events import EventStream
    from ragbed.stores import Snapshots

    with _stores("ragbed store snapshot", services) as (stores, folder):
        taken = Snapshots(folder).take(
            name,
            stores,
            data_class="synthetic" if data_class == "synthetic" else "internal",
            replace=replace,
            events=EventStream(EventLines()),
        )
    _show(taken, as_json=as_json)


@store.command(epilog="Example: ragbed store restore ingested", short_help="Put a snapshot back.")
@click.argument("name")
@_SERVICE
@_JSON
def restore(*, name: str, services: tuple[str, ...], as_json: bool) -> None:
    """Put back what a snapshot holds, in the place of what is there.

    Postgres and Redis change at once or not at all. A restore that was cut short is finished by doing it again. A
    snapshot of another product or major version is refused with 2.
    """
    from ragbed.cli.events import EventLines
    from ragbed.events import EventStream
    from ragbed.stores import Snapshots

    with _stores("ragbed store restore", services) as (stores, folder):
        restored = Snapshots(folder).restore(name, stores, events=EventStream(EventLines()))
    _show(restored, as_json=as_json)


@store.command("list", epilog="Example: ragbed store list --json", short_help="List the snapshots.")
@_JSON
def list_snapshots(*, as_json: bool) -> None:
    """List the snapshots of this project, the newest first."""
    from ragbed.cli.output import show_json, show_table
    from ragbed.state import find_state_folder
    from ragbed.stores import Snapshots

    snapshots = Snapshots(find_state_folder()).all()
    if as_json:
        show_json({"schema": SNAPSHOTS_SCHEMA, "snapshots": [one.to_json() for one in snapshots]})
    elif not snapshots:
        click.echo("there is no snapshot; `ragbed store snapshot NAME` takes one")
    else:
        rows = [
            (
                one.name,
                f"{one.taken_at:%Y-%m-%d %H:%M:%S}",
                _size(one.size_bytes),
                ", ".join(ref.service for ref in one.stores),
            )
            for one in snapshots
        ]
        show_table(("name", "taken (UTC)", "size", "stores"), rows, right=("size",))


@store.command(epilog="Example: ragbed store remove ingested", short_help="Delete a snapshot.")
@click.argument("name")
def remove(*, name: str) -> None:
    """Delete a snapshot."""
    from ragbed.state import find_state_folder
    from ragbed.stores import Snapshots

    Snapshots(find_state_folder()).remove(name)
    click.echo(f"deleted the snapshot {name}")


@contextmanager
def _stores(command: str, services: tuple[str, ...]) -> Iterator[tuple[list[IsolatedStore], StateFolder]]:
    """Yield the stores of the stack that is up; production and stores without the marker are refused first."""
    from ragbed.cli.project import project_settings
    from ragbed.guard import refuse_writes
    from ragbed.stack import SERVICES, running_stack
    from ragbed.stack.disk_errors import full_disk_told
    from ragbed.state import find_state_folder
    from ragbed.stores import stores_of

    settings, folder = project_settings(), find_state_folder()
    refuse_writes(settings, command=command)
    with (
        running_stack(
            settings, folder=folder, services=services or SERVICES, caller="command", may_start=False
        ) as stack,
        full_disk_told(stack, folder),
    ):
        yield stores_of(stack, settings), folder


def _show(snapshot: Snapshot, *, as_json: bool) -> None:
    from ragbed.cli.output import show_json, show_table

    if as_json:
        show_json(snapshot.to_json())
        return
    rows = [
        (ref.service, f"{ref.product} {ref.version}", str(ref.records), _size(ref.size_bytes), ref.taken)
        for ref in snapshot.stores
    ]
    show_table(("service", "of", "records", "size", "as of"), rows, right=("records", "size"))


def _gathered(names: Mapping[str, int]) -> dict[str, int]:
    """Return counts for a table: many keys that differ after their last colon are one line."""
    groups = Counter(name.rpartition(":")[0] for name in names)
    shown: Counter[str] = Counter()
    for name, count in names.items():
        prefix = name.rpartition(":")[0]
        shown[f"{prefix}:*" if prefix and groups[prefix] > _MOST_KEYS else name] += count
    return dict(shown)


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1024**2:,.1f} MB"
